/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart.h - a multipart/form-data body (RFC 7578) from --multipart-field and --multipart-file.
 *
 * The files are opened here, as the caller's user (I7), and read only while they are sent; they must
 * be regular, because the body's length is announced. Fields come first, then files, each in the
 * order given; a name may stand once.
 */
#ifndef AV_CLI_MULTIPART_H
#define AV_CLI_MULTIPART_H

#include "base/buf.h"
#include "cli/args.h"
#include "cli/client.h"

struct multipart {
	char boundary[48];
	struct buf text; /* everything that does not come from a file */
	struct body_part *parts; /* text and files in turn; NULL: there is no multipart body */
	size_t count;
};

void multipart_init(struct multipart *m);
void multipart_clear(struct multipart *m); /* closes the files */
/* Does nothing where neither option stands. AV_EINVAL with reason multipart_syntax,
 * multipart_duplicate, multipart_file; AV_ELIMIT: multipart_size. */
enum av_err multipart_build(struct multipart *m, const struct args *a, struct fault *f) AV_MUST_USE;
/* The type of a file by its name's ending. */
const char *multipart_type_of(const char *path);

#endif
