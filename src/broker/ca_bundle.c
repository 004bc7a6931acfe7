/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/ca_bundle.h"

#include "base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CA_MAX (8u * 1024u * 1024u)

static const char *const ca_places[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt", /* Fedora, RHEL */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL 7 and later */
    "/etc/ssl/ca-bundle.pem", /* openSUSE */
    "/etc/ssl/cert.pem", /* Alpine, macOS, BSD */
};

#ifdef AV_DEV
/* Follows links: what is named here is the developer's business. */
static enum av_err
ca_read(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 1;
	bool again = false;
	enum av_err e = AV_OK;

	if (fd < 0)
		return AV_ENOTFOUND;
	while (e == AV_OK && n > 0)
		e = io_read_some(fd, out, 65536, &n, &again);
	io_close(&fd);
	return e;
}

static enum av_err
ca_extend(struct ca_bundle *b, const char *extra, struct fault *f)
{
	struct buf pem;
	enum av_err e = AV_OK;

	buf_init(&pem, CA_MAX);
	if (b->path[0] != '\0')
		e = ca_read(b->path, &pem);
	if (e == AV_OK)
		e = buf_append_byte(&pem, '\n');
	if (e == AV_OK)
		e = ca_read(extra, &pem);
	if (e == AV_OK) {
		b->fd = memfd_create("ca-bundle", MFD_CLOEXEC);
		if (b->fd < 0)
			e = AV_ESYS;
	}
	if (e == AV_OK)
		e = io_write_all(b->fd, pem.data, pem.len);
	buf_clear(&pem);
	if (e != AV_OK)
		return fault_set(f, e, "ca_bundle", "Check AIVAULT_DEV_CA_CERT_PATH.",
		    "The extra root certificate cannot be read.");
	(void)snprintf(b->path, sizeof(b->path), "/proc/self/fd/%d", b->fd);
	return AV_OK;
}
#endif

enum av_err
ca_bundle_open(struct ca_bundle *out, struct fault *f)
{
	const char *extra = NULL;
	size_t i;

	out->fd = -1;
	out->path[0] = '\0';
	for (i = 0; i < sizeof(ca_places) / sizeof(ca_places[0]) && out->path[0] == '\0'; i++) {
		if (access(ca_places[i], R_OK) == 0)
			(void)snprintf(out->path, sizeof(out->path), "%s", ca_places[i]);
	}
#ifdef AV_DEV
	extra = getenv("AIVAULT_DEV_CA_CERT_PATH");
	if (extra != NULL && extra[0] != '\0')
		return ca_extend(out, extra, f);
#endif
	(void)extra;
	if (out->path[0] == '\0')
		return fault_set(f, AV_ENOTFOUND, "ca_bundle",
		    "Install the package ca-certificates.",
		    "No bundle of root certificates was found.");
	return AV_OK;
}

void
ca_bundle_close(struct ca_bundle *b)
{
	io_close(&b->fd);
}
