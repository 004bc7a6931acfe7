/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/vault.h"

#include "vault/box.h"
#include "vault/secret.h"

#include "base/clock.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_KEY_AAD "aivault:audit-key:1"

static struct vault *
vault_new(const struct builtin *b)
{
	struct vault *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return NULL;
	v->builtin = b;
	if (secret_pool_new(SECRET_POOL_BYTES, &v->pool) != AV_OK) {
		free(v);
		return NULL;
	}
	return v;
}

void
vault_close(struct vault *v)
{
	if (v == NULL)
		return;
	vault_unload(v);
	kek_free(v->kek);
	store_close(v->store);
	secret_pool_free(v->pool);
	free(v);
}

static enum av_err
read_text(struct store *s, const char *key, char *out, size_t room)
{
	struct buf b;
	buf_init(&b, room);
	enum av_err e = store_meta_get(s, key, &b);
	if (e == AV_OK && b.len > 0 && (b.len >= room || memchr(b.data, '\0', b.len) != NULL))
		e = AV_ECORRUPT;
	if (e == AV_OK && b.len > 0)
		memcpy(out, b.data, b.len);
	if (e == AV_OK)
		out[b.len] = '\0';
	buf_clear(&b);
	return e == AV_ENOTFOUND ? AV_ECORRUPT : e;
}

static enum av_err
read_meta(struct vault *v, const char *path, struct fault *f)
{
	int64_t g = 0;
	enum av_err e =
	    read_text(v->store, "provider_type", v->provider_type, sizeof(v->provider_type));
	if (e == AV_OK)
		e = read_text(v->store, "provider_where", v->key_where, sizeof(v->key_where));
	if (e == AV_OK)
		e = read_text(v->store, "kek_id", v->kek_id, sizeof(v->kek_id));
	if (e == AV_OK)
		e = store_meta_get_int(v->store, "created_ms", &v->created_ms);
	if (e == AV_OK)
		e = store_meta_get_int(v->store, "generation", &g);
	v->generation = (uint64_t)g;
	if (e == AV_OK && vault_has_passphrase(v))
		e = passphrase_kdf_get(v->store, &v->kdf);
	if (e != AV_OK)
		e = fault_set(f, e == AV_ENOTFOUND ? AV_ECORRUPT : e, "database_corrupt",
		    "Restore it from a backup", "%s does not hold a vault's description: %s", path,
		    store_message(v->store));
	return e;
}

/* Fills v->fault where the key does not come. */
static void
load_key(struct vault *v)
{
	if (vault_has_passphrase(v)) {
		v->locked = true;
		return;
	}
	const struct kek_provider *p = kek_provider_find(str_of(v->provider_type));
	if (p == NULL) {
		fault_set(&v->fault, AV_EKEY, "key_provider_unknown", "Use a version that knows it",
		    "this version does not know the vault's key provider");
		return;
	}
	if (p->load(v->key_where, &v->kek, &v->fault) != AV_OK)
		return;
	if (strcmp(kek_id(v->kek), v->kek_id) != 0) {
		kek_free(v->kek);
		v->kek = NULL;
		fault_set(&v->fault, AV_EKEY, "key_mismatch",
		    "Put the vault's own key file back, or restore the vault that belongs to this "
		    "key",
		    "the key in %s is not the one that this vault was made with", v->key_where);
	}
}

static void
load_rows(struct vault *v)
{
	struct fault f = {0};
	enum av_err e = v->kek != NULL ? row_verify(v->store, v->kek, &v->generation, &f) : AV_OK;
	if (e == AV_OK)
		e = vault_load(v);
	else
		v->fault = f;
	if (e != AV_OK && v->fault.err == AV_OK)
		fault_set(&v->fault, e, "vault_load", "Look at the daemon's log", "%s: %s",
		    store_path(v->store),
		    e == AV_ENOMEM ? "out of memory" : store_message(v->store));
}

enum av_err
vault_open(const char *path, const struct builtin *b, struct vault **out, struct fault *f)
{
	struct vault *v = vault_new(b);
	if (v == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	enum av_err e = store_open(path, &v->store, f);
	if (e == AV_OK)
		e = read_meta(v, path, f);
	if (e != AV_OK) {
		vault_close(v);
		return e;
	}
	load_key(v);
	if (v->kek != NULL || v->locked)
		load_rows(v);
	*out = v;
	return AV_OK;
}

/* The public half in the clear, the other sealed under the KEK. */
static enum av_err
make_audit_key(struct vault *v)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES];
	struct secret *sk = NULL;
	struct buf sealed;
	buf_init(&sealed, 512);
	enum av_err e = secret_new(v->pool, crypto_sign_SECRETKEYBYTES, &sk);
	if (e != AV_OK)
		goto out;
	crypto_sign_keypair(pk, secret_bytes(sk));
	e = kek_seal(v->kek, STR_LIT(AUDIT_KEY_AAD), secret_view(sk), secret_len(sk), &sealed);
	if (e == AV_OK)
		e = store_meta_put(
		    v->store, "audit_public_key", (struct str){(const char *)pk, sizeof(pk)});
	if (e == AV_OK)
		e = store_meta_put(v->store, "audit_signing_key",
		    (struct str){(const char *)sealed.data, sealed.len});
out:
	secret_free(sk);
	buf_clear(&sealed);
	return e;
}

static enum av_err
write_meta(struct vault *v, const char *provider, const char *where)
{
	v->created_ms = clock_wall_ms();
	snprintf(v->provider_type, sizeof(v->provider_type), "%s", provider);
	snprintf(v->key_where, sizeof(v->key_where), "%s", where);
	snprintf(v->kek_id, sizeof(v->kek_id), "%s", kek_id(v->kek));
	enum av_err e = store_meta_put(v->store, "provider_type", str_of(v->provider_type));
	if (e == AV_OK)
		e = store_meta_put(v->store, "provider_where", str_of(v->key_where));
	if (e == AV_OK)
		e = store_meta_put(v->store, "kek_id", str_of(v->kek_id));
	if (e == AV_OK)
		e = store_meta_put_int(v->store, "created_ms", v->created_ms);
	if (e == AV_OK && vault_has_passphrase(v))
		e = passphrase_kdf_put(v->store, &v->kdf);
	if (e == AV_OK)
		e = make_audit_key(v);
	return e;
}

/* `e`: how it went so far. Takes v. */
static enum av_err
finish_create(struct vault *v, enum av_err e, const char *provider, const char *where,
    struct vault **out, struct fault *f)
{
	if (e == AV_OK) {
		e = write_meta(v, provider, where);
		if (e != AV_OK)
			fault_set(f, e, "database_create", "Check free space and permissions",
			    "%s: %s", store_path(v->store), store_message(v->store));
	}
	if (e != AV_OK) {
		vault_close(v);
		return e;
	}
	memset(f, 0, sizeof(*f));
	*out = v;
	return AV_OK;
}

enum av_err
vault_create(const char *path, const char *provider, const char *where, const struct builtin *b,
    struct vault **out, struct fault *f)
{
	const struct kek_provider *p = kek_provider_find(str_of(provider));
	if (p == NULL)
		return fault_set(f, AV_ENOTSUP, "key_provider_unknown", "Use --provider file",
		    "this version does not know that key provider");
	if (strlen(where) >= VAULT_WHERE_MAX)
		return fault_set(
		    f, AV_ELIMIT, "key_path_too_long", "", "the key's path is over 1023 bytes");
	struct vault *v = vault_new(b);
	if (v == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	enum av_err e = store_create(path, &v->store, f);
	if (e == AV_OK) {
		e = p->create(where, &v->kek, f);
		if (e == AV_EEXISTS)
			e = p->load(where, &v->kek, f);
	}
	return finish_create(v, e, provider, where, out, f);
}

enum av_err
vault_create_passphrase(const char *path, const struct passphrase_kdf *kdf,
    const uint8_t key[KEK_LEN], const struct builtin *b, struct vault **out, struct fault *f)
{
	struct vault *v = vault_new(b);
	if (v == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	v->kdf = *kdf;
	enum av_err e = store_create(path, &v->store, f);
	if (e == AV_OK && kek_new(key, &v->kek) != AV_OK)
		e = fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	return finish_create(v, e, PASSPHRASE_PROVIDER, "", out, f);
}

bool
vault_has_passphrase(const struct vault *v)
{
	return strcmp(v->provider_type, PASSPHRASE_PROVIDER) == 0;
}

enum av_err
vault_unlock(struct vault *v, const uint8_t key[KEK_LEN], struct fault *f)
{
	struct kek *k = NULL;
	if (kek_new(key, &k) != AV_OK)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	if (strcmp(kek_id(k), v->kek_id) != 0) {
		kek_free(k);
		return fault_set(f, AV_EKEY, "wrong_passphrase", "Try again with the right one",
		    "invalid passphrase: it does not open this vault");
	}
	v->kek = k;
	v->locked = false;
	memset(&v->fault, 0, sizeof(v->fault));
	load_rows(v);
	return AV_OK;
}

void
vault_lock(struct vault *v)
{
	vault_unload(v);
	kek_free(v->kek);
	v->kek = NULL;
	v->locked = true;
	memset(&v->fault, 0, sizeof(v->fault));
	load_rows(v);
}

static enum av_err
store_fault(const struct vault *v, enum av_err e, struct fault *f)
{
	return fault_set(f, e, "database_write", "Check free space and permissions", "%s: %s",
	    store_path(v->store), store_message(v->store));
}

enum av_err
vault_begin(struct vault *v, struct fault *f)
{
	uint64_t generation = 0;
	enum av_err e = store_begin(v->store);
	if (e != AV_OK)
		return store_fault(v, e, f);
	/* What was changed from outside since the rows were read must not be sealed with this change: an old
	 * row that is put back, or one taken away, would be the operator's own from then on. */
	e = row_verify(v->store, v->kek, &generation, f);
	if (e == AV_OK && generation != v->generation)
		e = fault_set(f, AV_ECORRUPT, "rows_changed", "Restore vault.db from a backup",
		    "rows of %s were put back from outside aivault", store_path(v->store));
	if (e == AV_OK)
		return AV_OK;
	store_rollback(v->store);
	if (e == AV_ECORRUPT)
		v->fault = *f;
	return e;
}

enum av_err
vault_seal(struct vault *v, char note[VAULT_NOTE_MAX], struct fault *f)
{
	uint8_t digest[ROW_MAC_LEN];
	char hex[2 * ROW_MAC_LEN + 1];
	uint64_t generation = 0;
	enum av_err e = row_seal(v->store, v->kek, &generation, digest);
	if (e != AV_OK)
		return store_fault(v, e, f);
	hex_encode(digest, sizeof(digest), hex);
	snprintf(
	    note, VAULT_NOTE_MAX, "generation=%llu digest=%s", (unsigned long long)generation, hex);
	return AV_OK;
}

enum av_err
vault_commit(struct vault *v, struct fault *f)
{
	enum av_err e = store_commit(v->store);
	if (e != AV_OK) {
		store_fault(v, e, f);
		load_rows(v);
		return e;
	}
	load_rows(v);
	return AV_OK;
}

void
vault_rollback(struct vault *v)
{
	store_rollback(v->store);
	/* A change that is taken back may have been made to the records already. */
	load_rows(v);
}

struct secret_record *
vault_secret(const struct vault *v, struct str id)
{
	for (size_t i = 0; i < v->secret_count; i++)
		if (str_eq_cstr(id, v->secrets[i].id))
			return &v->secrets[i];
	return NULL;
}

struct secret_record *
vault_secret_named(const struct vault *v, struct str name, const struct scope *scope)
{
	for (size_t i = 0; i < v->secret_count; i++) {
		struct secret_record *r = &v->secrets[i];
		if (r->revoked_ms == 0 && str_eq_cstr(name, r->name) && scope_eq(scope, &r->scope))
			return r;
	}
	return NULL;
}

const struct credential *
vault_credential(const struct vault *v, struct str id)
{
	for (size_t i = 0; i < v->credential_count; i++)
		if (str_eq_cstr(id, v->credentials[i].id))
			return &v->credentials[i];
	return NULL;
}

const struct custom_capability *
vault_custom_capability(const struct vault *v, struct str id)
{
	for (size_t i = 0; i < v->capability_count; i++)
		if (str_eq_cstr(id, v->capabilities[i].id))
			return &v->capabilities[i];
	return NULL;
}

const struct policy_params *
vault_policy(const struct vault *v, struct str capability)
{
	for (size_t i = 0; i < v->policy_count; i++)
		if (str_eq_cstr(capability, v->policies[i].capability))
			return &v->policies[i];
	return NULL;
}

static enum av_err
disabled_key(struct str id, char out[160])
{
	int n = snprintf(out, 160, "capability:%.*s", STR_FMT(id));
	return n < 0 || n >= 160 ? AV_ELIMIT : AV_OK;
}

bool
vault_capability_is_disabled(const struct vault *v, struct str id)
{
	char key[160];
	return disabled_key(id, key) != AV_OK || string_list_has(&v->disabled, str_of(key));
}

enum av_err
vault_capability_put(struct vault *v, const char *provider, const struct capability *c)
{
	struct buf b;
	struct frame_writer w;
	buf_init(&b, ROW_BODY_MAX);
	fw_begin(&w, &b, ROW_CAPABILITY);
	fw_cstr(&w, provider);
	capability_encode(c, &w);
	enum av_err e = fw_end(&w);
	if (e == AV_OK)
		e = row_put(v->store, v->kek, ROW_CAPABILITY, str_of(c->id),
		    (struct str){
		        (const char *)b.data + FRAME_HEADER_LEN, b.len - FRAME_HEADER_LEN});
	buf_clear(&b);
	return e;
}

enum av_err
vault_capability_set_disabled(struct vault *v, struct str id, bool disabled)
{
	char key[160];
	enum av_err e = disabled_key(id, key);
	if (e != AV_OK)
		return e;
	if (!disabled)
		return row_delete(v->store, ROW_DISABLED, str_of(key));
	return row_put(v->store, v->kek, ROW_DISABLED, str_of(key), STR_LIT("operator"));
}

void
vault_forget_values(struct vault *v)
{
	for (size_t i = 0; i < v->secret_count; i++)
		secret_record_forget(&v->secrets[i]);
}

bool
vault_memory_is_locked(const struct vault *v)
{
	return secret_pool_is_locked(v->pool) && (v->kek == NULL || kek_is_locked(v->kek));
}

enum av_err
vault_sign(struct vault *v, struct str bytes, uint8_t sig[VAULT_SIGNATURE_LEN])
{
	struct secret *sk = NULL;
	struct buf sealed;
	if (v->kek == NULL)
		return AV_ELOCKED;
	buf_init(&sealed, 512);
	enum av_err e = store_meta_get(v->store, "audit_signing_key", &sealed);
	if (e == AV_OK && sealed.len != crypto_sign_SECRETKEYBYTES + BOX_OVERHEAD)
		e = AV_ECORRUPT;
	if (e == AV_OK)
		e = secret_new(v->pool, crypto_sign_SECRETKEYBYTES, &sk);
	if (e == AV_OK)
		e = kek_open(v->kek, STR_LIT(AUDIT_KEY_AAD),
		    (struct str){(const char *)sealed.data, sealed.len}, secret_bytes(sk));
	if (e == AV_OK)
		crypto_sign_detached(
		    sig, NULL, (const unsigned char *)bytes.p, bytes.len, secret_view(sk));
	secret_free(sk);
	buf_clear(&sealed);
	return e;
}

enum av_err
vault_public_key(struct vault *v, uint8_t out[VAULT_PUBLIC_KEY_LEN])
{
	struct buf b;
	buf_init(&b, 64);
	enum av_err e = store_meta_get(v->store, "audit_public_key", &b);
	if (e == AV_OK && b.len != VAULT_PUBLIC_KEY_LEN)
		e = AV_ECORRUPT;
	if (e == AV_OK)
		memcpy(out, b.data, VAULT_PUBLIC_KEY_LEN);
	buf_clear(&b);
	return e;
}
