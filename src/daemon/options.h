/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the supervisor's command line and the environment that it reads.
 *
 * Owns nothing outside the struct.
 */
#ifndef AV_DAEMON_OPTIONS_H
#define AV_DAEMON_OPTIONS_H

#include "base/err.h"
#include "base/paths.h"
#include "daemon/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum options_action { OPTIONS_RUN, OPTIONS_VERSION, OPTIONS_HELP };

struct options {
	enum options_action action;
	bool shared;
	bool is_private; /* --private, alone */
	int ready_fd; /* -1: none */
	uint64_t idle_exit_s; /* 0: never */
	mode_t socket_mode;
	mode_t dir_mode;
	bool dir_mode_given; /* AIVAULTD_SOCKET_DIR_MODE: also for a directory that was there */
	bool default_dir; /* the socket stands in one of our own run directories */
	char agent_socket[PATHS_MAX];
	char operator_socket[PATHS_MAX];
	char limits_file[PATHS_MAX]; /* "" with --private */
	struct limits limits;
};

/* AV_EUSAGE: *f says which argument is wrong. Other errors: paths, environment. */
enum av_err options_parse(
    struct options *out, int argc, char *const *argv, struct fault *f) AV_MUST_USE;
/* Only for OPTIONS_RUN. Finds the sockets' paths and modes, and reads limits.conf. */
enum av_err options_resolve(struct options *o, struct fault *f) AV_MUST_USE;
/* AV_EINVAL where a development switch is set in a build that has none of them. */
enum av_err options_check_switches(struct fault *f) AV_MUST_USE;
/* "660", "0660", "0o660", at most 0777. */
enum av_err options_parse_mode(const char *text, mode_t *out) AV_MUST_USE;

#endif
