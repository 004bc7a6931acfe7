/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the broker's limits: from its command line, and anew over the control socket.
 *
 * A limit is read where something begins: a connection, a request, a transfer. What runs keeps what it
 * began with.
 */
#ifndef AV_BROKER_OPTIONS_H
#define AV_BROKER_OPTIONS_H

#include "base/err.h"

#include <stdint.h>

struct broker_options {
	uint32_t max_connections;
	uint32_t max_per_caller;
	uint32_t first_byte_ms;
	uint32_t idle_ms;
	uint32_t judge_deadline_ms;
};

void broker_options_init(struct broker_options *o);
/* AV_EUSAGE: an unknown flag, or a value out of range. */
enum av_err broker_options_parse(struct broker_options *o, int argc, char *const *argv) AV_MUST_USE;
/* Lines `--flag N` up to the end of `fd` (CONTROL_RELOAD). On error *o is as it was. */
enum av_err broker_options_read(struct broker_options *o, int fd) AV_MUST_USE;

#endif
