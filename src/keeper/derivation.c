/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/derivation.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct derivation {
	pthread_t thread;
	int ends[2]; /* the thread closes the second when it is done */
	bool running;
	bool fresh; /* the salt was made for it: init */
	struct passphrase_kdf kdf;
	uint8_t *room; /* guarded and locked: the key, then the passphrase */
	size_t passphrase_len;
	enum av_err result;
};

static void *
derive(void *arg)
{
	struct derivation *d = arg;
	d->result = passphrase_derive(&d->kdf, d->room + KEK_LEN, d->passphrase_len, d->room);
	close(d->ends[1]);
	return NULL;
}

static void
derivation_free(struct derivation *d)
{
	io_close(&d->ends[0]);
	sodium_free(d->room); /* wipes */
	free(d);
}

/* Signals are the loop's. */
static bool
start_thread(struct derivation *d)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = pthread_create(&d->thread, NULL, derive, d) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static enum av_err
start(struct keeper *k, const struct passphrase_kdf *kdf, struct str cost, struct str passphrase,
    struct fault *f)
{
	struct derivation *d = calloc(1, sizeof(*d));
	enum av_err e = AV_ENOMEM;
	if (d == NULL)
		return AV_ENOMEM;
	d->ends[0] = d->ends[1] = -1;
	d->room = sodium_malloc(KEK_LEN + passphrase.len);
	if (d->room == NULL)
		goto out;
	memcpy(d->room + KEK_LEN, passphrase.p, passphrase.len);
	d->passphrase_len = passphrase.len;
	d->fresh = kdf == NULL;
	e = AV_OK;
	if (kdf != NULL)
		d->kdf = *kdf;
	else
		e = passphrase_kdf_make(cost, &d->kdf, f);
	if (e == AV_OK)
		e = io_socketpair(d->ends);
	if (e == AV_OK && !start_thread(d))
		e = AV_ESYS;
out:
	if (e != AV_OK) {
		io_close(&d->ends[1]);
		derivation_free(d);
		return f->err != AV_OK
		    ? e
		    : fault_set(f, e, "derivation", "Try again",
		          "the passphrase cannot be worked on: %s", av_err_text(e));
	}
	d->running = true;
	k->derivation = d;
	return AV_OK;
}

static bool
is_for(const struct derivation *d, const struct passphrase_kdf *kdf, struct str passphrase)
{
	if (d->fresh != (kdf == NULL) || d->passphrase_len != passphrase.len)
		return false;
	if (kdf != NULL &&
	    (memcmp(kdf->salt, d->kdf.salt, sizeof(kdf->salt)) != 0 ||
	        kdf->passes != d->kdf.passes || kdf->memory != d->kdf.memory))
		return false;
	return sodium_memcmp(d->room + KEK_LEN, passphrase.p, passphrase.len) == 0;
}

enum av_err
derivation_get(struct keeper *k, const struct passphrase_kdf *kdf, struct str cost,
    struct str passphrase, struct derived *out, bool *later, struct fault *f)
{
	struct derivation *d = k->derivation;
	*later = false;
	enum av_err e = passphrase_check(passphrase, f);
	if (e != AV_OK)
		return e;
	if (d != NULL && !d->running && is_for(d, kdf, passphrase)) {
		if (d->result != AV_OK)
			return fault_set(f, d->result, "derivation",
			    "Free some memory and try again",
			    "deriving the key takes %llu MiB of memory, which the system does not "
			    "give",
			    (unsigned long long)(d->kdf.memory >> 20));
		*out = (struct derived){&d->kdf, d->room};
		return AV_OK;
	}
	*later = true;
	if (d != NULL && d->running)
		return AV_OK;
	derivation_settle(k);
	e = start(k, kdf, cost, passphrase, f);
	*later = e == AV_OK;
	return e;
}

int
derivation_fd(const struct keeper *k)
{
	return k->derivation != NULL && k->derivation->running ? k->derivation->ends[0] : -1;
}

void
derivation_join(struct keeper *k)
{
	struct derivation *d = k->derivation;
	if (d == NULL || !d->running)
		return;
	pthread_join(d->thread, NULL);
	d->running = false;
}

void
derivation_settle(struct keeper *k)
{
	if (k->derivation == NULL || k->derivation->running)
		return;
	derivation_free(k->derivation);
	k->derivation = NULL;
}

void
derivation_drop(struct keeper *k)
{
	derivation_join(k);
	derivation_settle(k);
}
