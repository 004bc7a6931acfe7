/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.h - SIGTERM, SIGINT, SIGHUP and SIGCHLD as bytes on a descriptor to poll.
 *
 * signalfd on Linux, a pipe elsewhere. SIGPIPE is ignored. The signals stay blocked in this
 * process; what base/spawn.h starts has them at their defaults again.
 */
#ifndef AV_DAEMON_SIGNALS_H
#define AV_DAEMON_SIGNALS_H

#include "base/err.h"

#include <stdbool.h>

struct signals {
	int fd; /* poll it for input */
	bool term;
	bool hup;
	bool child;
};

enum av_err signals_init(struct signals *s) AV_MUST_USE;
/* Takes what is pending into the three marks; the reader puts them back to false. */
void signals_read(struct signals *s);
void signals_clear(struct signals *s);

#endif
