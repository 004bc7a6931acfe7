/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/host.h"

#define HOST_MAX 253u
#define LABEL_MAX 63u
#define REMEDY "give a public host name such as api.example.com"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

/* Would a resolver's number parser take it: decimal, octal or hex (inet_aton reads "127.0x1")? */
static bool
is_number(struct str label)
{
	bool hex = str_starts(label, STR_LIT("0x"));

	for (size_t i = hex ? 2 : 0; i < label.len; i++) {
		char c = label.p[i];
		if (!is_digit(c) && !(hex && c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

static enum av_err
label_check(struct str label, struct fault *f)
{
	if (label.len == 0)
		return fault_set(
		    f, AV_EINVAL, "host_empty_label", REMEDY, "the host has an empty label");
	if (label.len > LABEL_MAX)
		return fault_set(f, AV_ELIMIT, "host_label_too_long", REMEDY,
		    "a label of the host is over %u bytes", LABEL_MAX);
	if (label.p[0] == '-' || label.p[label.len - 1] == '-')
		return fault_set(f, AV_EINVAL, "host_bad_label", REMEDY,
		    "a label of the host begins or ends with '-'");
	return AV_OK;
}

/* `name` has only label bytes and dots. */
static enum av_err
name_check(struct str name, struct fault *f)
{
	struct str rest = name, label, tail;
	size_t labels = 0;

	for (;;) {
		bool more = str_cut(rest, '.', &label, &tail);
		enum av_err e;
		if (!more)
			label = rest;
		e = label_check(label, f);
		if (e != AV_OK)
			return e;
		labels++;
		if (!more)
			break;
		rest = tail;
	}
	if (labels < 2)
		return fault_set(f, AV_EINVAL, "host_no_dot", REMEDY, "the host has no dot");
	if (is_number(label))
		return fault_set(
		    f, AV_EINVAL, "host_is_address", REMEDY, "the host is an address, not a name");
	if (str_eq_cstr(label, "localhost") || str_eq_cstr(label, "local") ||
	    str_eq_cstr(label, "internal"))
		return fault_set(f, AV_EINVAL, "host_is_local", REMEDY,
		    "names below .%.*s are not public", STR_FMT(label));
	return AV_OK;
}

enum av_err
host_parse(struct str s, bool allow_wildcard, struct str *name, uint16_t *port, struct fault *f)
{
	struct str whole = s, digits = {0}, rest;
	uint64_t number = 0;
	bool wildcard;

	*name = (struct str){0};
	*port = 0;
	if (s.len == 0)
		return fault_set(f, AV_EINVAL, "host_empty", REMEDY, "the host is empty");
	if (str_cut(s, ':', &whole, &digits)) {
		if (str_to_u64(digits, 1, UINT16_MAX, &number) != AV_OK)
			return fault_set(f, AV_EINVAL, "host_bad_port", REMEDY,
			    "the port is not a number from 1 to 65535");
	} else {
		whole = s;
	}
	if (whole.len > HOST_MAX)
		return fault_set(
		    f, AV_ELIMIT, "host_too_long", REMEDY, "the host is over %u bytes", HOST_MAX);
	wildcard = str_starts(whole, STR_LIT("*."));
	if (wildcard && !allow_wildcard)
		return fault_set(
		    f, AV_EINVAL, "host_wildcard", "name one host", "the host is a pattern");
	rest = wildcard ? (struct str){whole.p + 2, whole.len - 2} : whole;
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.p[i] == '.' || is_label_byte(rest.p[i]))
			continue;
		return fault_set(f, AV_EINVAL, "host_bad_byte", REMEDY,
		    "the host may hold lower-case letters, digits, '-' and '.' only");
	}
	enum av_err e = name_check(rest, f);
	if (e != AV_OK)
		return e;
	*name = whole;
	*port = (uint16_t)number;
	return AV_OK;
}

bool
host_matches(struct str pattern, struct str host)
{
	struct str head, tail;

	if (str_cut(pattern, ':', &head, &tail))
		pattern = head;
	if (host.len == 0 || host.p[0] == '.')
		return false;
	if (!str_starts(pattern, STR_LIT("*.")))
		return str_eq(pattern, host);
	/* ".example.com" must end it, and something must stand before. */
	pattern = (struct str){pattern.p + 1, pattern.len - 1};
	return pattern.len > 1 && host.len > pattern.len && str_ends(host, pattern);
}
