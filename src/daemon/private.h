/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private.h - `aivaultd --private`: the same processes for one command alone (AIVAULTD_DISABLE=1), with
 * no socket on disk and no lock but the vault's.
 *
 * The command starts us with three descriptors that are connected to it: PRIVATE_LIFE_FD, on which we
 * say `ok\n` or why not, and whose end is ours; an agent's and an operator's connection, which broker
 * and keeper take in place of listening sockets. Owns all three.
 */
#ifndef AV_DAEMON_PRIVATE_H
#define AV_DAEMON_PRIVATE_H

#include "base/err.h"

#define PRIVATE_LIFE_FD 3
#define PRIVATE_AGENT_FD 4
#define PRIVATE_OPERATOR_FD 5

struct private
{
	int life_fd;
	int agent_fd;
	int operator_fd;
};

/* Takes the descriptors from their places. AV_EUSAGE: they are not sockets; AV_ENOVAULT: there is no
 * vault, and none is made here. */
enum av_err private_open(struct private *p, struct fault *f) AV_MUST_USE;
/* The message for the command; on standard error where it does not listen. */
void private_say(struct private *p, const char *text);
void private_clear(struct private *p);

#endif
