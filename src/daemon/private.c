/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/private.h"

#include "base/io.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool
take_socket(int fd, int *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode) || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return false;
	*out = fd;
	return true;
}

/* The keeper would make the vault's directory to put its lock there. */
static enum av_err
need_vault(struct fault *f)
{
	struct paths *p = malloc(sizeof(*p));
	struct stat st;
	enum av_err e;

	if (p == NULL)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	e = paths_find(p, f);
	if (e == AV_OK && stat(p->database, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		e = fault_set(f, AV_ENOVAULT, "no_vault",
		    "Unset AIVAULTD_DISABLE for `aivault init` or `aivault secrets create`",
		    "there is no vault in %.300s, and none is made with AIVAULTD_DISABLE set",
		    p->root);
	free(p);
	return e;
}

enum av_err
private_open(struct private *p, struct fault *f)
{
	*p = (struct private){-1, -1, -1};
	if (!take_socket(PRIVATE_LIFE_FD, &p->life_fd) ||
	    !take_socket(PRIVATE_AGENT_FD, &p->agent_fd) ||
	    !take_socket(PRIVATE_OPERATOR_FD, &p->operator_fd))
		return fault_set(f, AV_EUSAGE, "usage",
		    "Set AIVAULTD_DISABLE=1 for aivault instead",
		    "--private is for aivault's own use");
	return need_vault(f);
}

void
private_say(struct private *p, const char *text)
{
	if (p->life_fd < 0 || io_write_all(p->life_fd, text, strlen(text)) != AV_OK)
		(void)fprintf(stderr, "aivaultd: %s", text);
}

void
private_clear(struct private *p)
{
	io_close(&p->life_fd);
	io_close(&p->agent_fd);
	io_close(&p->operator_fd);
}
