/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_EXIT_MAX (365u * 24u * 3600u)
#define FD_MAX 1023u

#ifndef AV_DEV
static const char *const dev_switches[] = {
    "AIVAULT_DEV_RESOLVE",
    "AIVAULT_DEV_CA_CERT_PATH",
    "AIVAULT_DEV_ALLOW_NON_DEFAULT_PORTS",
    "AIVAULT_DEV_HTTP1_ONLY",
    "AIVAULT_DEV_ALLOW_REMOTE_CLIENTS",
    "AIVAULT_DEV_ALLOW_HTTP_LOCAL",
};
#endif

static bool
is_blank(const char *s)
{
	return s == NULL || s[strspn(s, " \t\r\n")] == '\0';
}

enum av_err
options_check_switches(struct fault *f)
{
#ifndef AV_DEV
	for (size_t i = 0; i < sizeof(dev_switches) / sizeof(dev_switches[0]); i++) {
		if (!is_blank(getenv(dev_switches[i])))
			return fault_set(f, AV_EINVAL, "dev_switch", "Unset it, or use a dev build",
			    "%s is disabled in release builds", dev_switches[i]);
	}
#else
	(void)f;
#endif
	return AV_OK;
}

enum av_err
options_parse_mode(const char *text, mode_t *out)
{
	unsigned value = 0;
	struct str s = str_trim(str_of(text));

	if (s.len > 2 && s.p[0] == '0' && s.p[1] == 'o') {
		s.p += 2;
		s.len -= 2;
	}
	if (s.len < 3 || s.len > 4)
		return AV_EFORMAT;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return AV_EFORMAT;
		value = value * 8 + (unsigned)(s.p[i] - '0');
	}
	if (value > 0777)
		return AV_ELIMIT;
	*out = (mode_t)value;
	return AV_OK;
}

/* `--name value` or `--name=value`; NULL and *f set where the value is missing. */
static const char *
take_value(const char *name, int argc, char *const *argv, int *i, struct fault *f)
{
	const char *arg = argv[*i] + strlen(name);

	if (*arg == '=')
		return arg + 1;
	if (*i + 1 >= argc) {
		(void)fault_set(
		    f, AV_EUSAGE, "usage", "See aivaultd --help", "%s needs a value", name);
		return NULL;
	}
	*i += 1;
	return argv[*i];
}

static bool
is_flag(const char *arg, const char *name)
{
	size_t n = strlen(name);
	return strncmp(arg, name, n) == 0 && (arg[n] == '\0' || arg[n] == '=');
}

static enum av_err
parse_number(const char *name, const char *text, bool seconds, uint64_t min, uint64_t max,
    uint64_t *out, struct fault *f)
{
	enum av_err e = seconds ? str_to_seconds(str_of(text), max, out)
	                        : str_to_u64(str_of(text), min, max, out);

	if (e == AV_OK && *out < min)
		e = AV_ELIMIT;
	if (e != AV_OK)
		return fault_set(f, AV_EUSAGE, "usage", "See aivaultd --help",
		    "%s takes a number from %llu to %llu", name, (unsigned long long)min,
		    (unsigned long long)max);
	return AV_OK;
}

/* *matched: argv[*i] is one of the limits. */
static enum av_err
parse_limit(struct options *o, int argc, char *const *argv, int *i, bool *matched, struct fault *f)
{
	*matched = false;
	for (size_t k = 0; k < LIMITS_COUNT; k++) {
		const char *v;

		if (!is_flag(argv[*i], limits_flag(k)))
			continue;
		*matched = true;
		v = take_value(limits_flag(k), argc, argv, i, f);
		return v == NULL ? AV_EUSAGE : limits_give(&o->limits, k, v, f);
	}
	return AV_OK;
}

static enum av_err
parse_one(struct options *o, int argc, char *const *argv, int *i, struct fault *f)
{
	const char *arg = argv[*i];
	const char *v;
	uint64_t n;
	bool matched;
	enum av_err e;

	if (strcmp(arg, "--version") == 0 || strcmp(arg, "-V") == 0) {
		o->action = OPTIONS_VERSION;
	} else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
		o->action = OPTIONS_HELP;
	} else if (strcmp(arg, "--shared") == 0) {
		o->shared = true;
	} else if (strcmp(arg, "--private") == 0) {
		if (argc != 2)
			return fault_set(f, AV_EUSAGE, "usage", "", "--private stands alone");
		o->is_private = true;
	} else if (strcmp(arg, "--foreground") == 0) {
		return AV_OK; /* the only mode there is */
	} else if (is_flag(arg, "--socket")) {
		v = take_value("--socket", argc, argv, i, f);
		if (v == NULL)
			return AV_EUSAGE;
		if (v[0] != '/' || strlen(v) >= sizeof(o->agent_socket))
			return fault_set(f, AV_EUSAGE, "usage", "Give a path that begins with /",
			    "--socket takes an absolute path of less than %zu bytes",
			    sizeof(o->agent_socket));
		memcpy(o->agent_socket, v, strlen(v) + 1);
	} else if (is_flag(arg, "--ready-fd")) {
		v = take_value("--ready-fd", argc, argv, i, f);
		if (v == NULL)
			return AV_EUSAGE;
		e = parse_number("--ready-fd", v, false, 3, FD_MAX, &n, f);
		if (e != AV_OK)
			return e;
		o->ready_fd = (int)n;
	} else if (is_flag(arg, "--idle-exit")) {
		v = take_value("--idle-exit", argc, argv, i, f);
		if (v == NULL)
			return AV_EUSAGE;
		return parse_number("--idle-exit", v, true, 0, IDLE_EXIT_MAX, &o->idle_exit_s, f);
	} else if (is_flag(arg, "--once") || is_flag(arg, "--listen") ||
	    is_flag(arg, "--default-deny") || is_flag(arg, "--require-confinement") ||
	    is_flag(arg, "--upstream-proxy") || is_flag(arg, "--audit-syslog")) {
		return fault_set(f, AV_ENOTSUP, "not_supported", "See docs/KNOWN-GAPS.md",
		    "%.*s is not part of this version", (int)strcspn(arg, "="), arg);
	} else {
		e = parse_limit(o, argc, argv, i, &matched, f);
		if (e != AV_OK || matched)
			return e;
		return fault_set(
		    f, AV_EUSAGE, "usage", "See aivaultd --help", "unknown argument %.80s", arg);
	}
	return AV_OK;
}

enum av_err
options_parse(struct options *out, int argc, char *const *argv, struct fault *f)
{
	memset(out, 0, sizeof(*out));
	limits_init(&out->limits);
	out->ready_fd = -1;
	for (int i = 1; i < argc; i++) {
		enum av_err e = parse_one(out, argc, argv, &i, f);
		if (e != AV_OK)
			return e;
		if (out->action != OPTIONS_RUN)
			return AV_OK;
	}
	return AV_OK;
}

static enum av_err
mode_from_env(const char *name, mode_t *mode, bool *given, struct fault *f)
{
	const char *text = getenv(name);

	*given = false;
	if (is_blank(text))
		return AV_OK;
	/* A mistyped mode must not fall back to another one in silence. */
	if (options_parse_mode(text, mode) != AV_OK)
		return fault_set(f, AV_EINVAL, "bad_mode", "Write it in octal, for example 0660",
		    "%s is not an octal mode", name);
	*given = true;
	return AV_OK;
}

enum av_err
options_resolve(struct options *o, struct fault *f)
{
	struct paths *p = malloc(sizeof(*p));
	const char *dflt;
	bool given;
	enum av_err e;

	if (p == NULL)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	e = paths_find(p, f);
	if (e != AV_OK)
		goto out;
	dflt = o->shared ? p->shared_socket : p->agent_socket;
	if (o->agent_socket[0] == '\0')
		memcpy(o->agent_socket, dflt, strlen(dflt) + 1);
	o->default_dir = strcmp(o->agent_socket, p->agent_socket) == 0 ||
	    strcmp(o->agent_socket, p->shared_socket) == 0;
	e = paths_operator_beside(o->agent_socket, o->operator_socket, sizeof(o->operator_socket));
	if (e != AV_OK) {
		(void)fault_set(f, e, "bad_socket_path", "Choose another directory",
		    "no operator socket can stand beside %.200s", o->agent_socket);
		goto out;
	}
	if (strcmp(o->agent_socket, o->operator_socket) == 0) {
		e = fault_set(f, AV_EUSAGE, "usage", "Choose another name",
		    "--socket may not be named operator.sock");
		goto out;
	}
	if (o->shared && str_to_bool(getenv("AIVAULT_DISABLE_DISK_LOGS"))) {
		e = fault_set(f, AV_EUSAGE, "disk_logs", "Unset AIVAULT_DISABLE_DISK_LOGS",
		    "what several users share has its audit log on the disk");
		goto out;
	}
	o->socket_mode = o->shared ? 0660 : 0600;
	o->dir_mode = o->shared ? 0750 : 0700;
	e = mode_from_env("AIVAULTD_SOCKET_MODE", &o->socket_mode, &given, f);
	if (e == AV_OK)
		e = mode_from_env("AIVAULTD_SOCKET_DIR_MODE", &o->dir_mode, &o->dir_mode_given, f);
	memcpy(o->limits_file, p->limits_file, sizeof(o->limits_file));
	if (e == AV_OK)
		e = limits_read(&o->limits, o->limits_file, f);
out:
	free(p);
	return e;
}
