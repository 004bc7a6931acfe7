/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the one list of errors.
 *
 * Every function that can fail returns enum av_err. AV_OK is zero. One row of AV_ERRORS holds all
 * that is known of an error: its wire code (one of the eleven codes that clients switch on), the
 * HTTP status of a response that carries it, the exit code of the CLI, and a text.
 *
 * AV_ERRORS(X): X(NAME, code, http_status, exit_code, text)
 */
#ifndef AV_BASE_ERR_H
#define AV_BASE_ERR_H

#define AV_ERRORS(X)                                                                            \
	X(AV_OK, "ok", 200, 0, "done")                                                          \
	X(AV_ENOMEM, "vault_unavailable", 500, 1, "out of memory")                              \
	X(AV_ESYS, "vault_unavailable", 500, 1, "a system call failed")                         \
	X(AV_ELIMIT, "invalid_request", 400, 1, "a stated limit was passed")                    \
	X(AV_EFORMAT, "invalid_request", 400, 1, "malformed input")                             \
	X(AV_ETRUNC, "invalid_request", 400, 1, "input ends too early")                         \
	X(AV_EUSAGE, "invalid_request", 400, 2, "wrong usage")                                  \
	X(AV_EINVAL, "invalid_request", 400, 1, "invalid request")                              \
	X(AV_EPOLICY, "policy_violation", 403, 1, "denied by policy")                           \
	X(AV_ETOOBIG, "policy_violation", 413, 1, "over a size limit")                          \
	X(AV_ERATE, "policy_violation", 429, 1, "over a rate limit")                            \
	X(AV_ENOCAP, "capability_not_found", 404, 1, "no such capability")                      \
	X(AV_ENOCRED, "credential_not_found", 404, 1, "no such credential")                     \
	X(AV_EAMBIG, "credential_ambiguous", 409, 1, "more than one credential fits")           \
	X(AV_ELOCKED, "vault_unavailable", 423, 1, "the vault is locked")                       \
	X(AV_ENOVAULT, "vault_unavailable", 503, 1, "there is no vault yet")                    \
	X(AV_ECORRUPT, "vault_unavailable", 500, 1, "a stored row fails its check")             \
	X(AV_EKEY, "vault_unavailable", 500, 1, "the key does not fit the vault")               \
	X(AV_EAUDIT, "vault_unavailable", 503, 1, "the audit row could not be written")         \
	X(AV_EAUTH, "auth_failed", 500, 1, "the credential could not be rendered")              \
	X(AV_EUPSTREAM, "upstream_unreachable", 502, 1, "the upstream could not be reached")    \
	X(AV_ETIMEOUT, "upstream_unreachable", 504, 1, "the upstream did not answer in time")   \
	X(AV_ETOKEN, "token_invalid", 401, 1, "the token is not valid")                         \
	X(AV_EOPERATOR, "operator_auth_required", 403, 1, "only the vault's owner may do this") \
	X(AV_ENOTFOUND, "invalid_request", 404, 1, "no such thing")                             \
	X(AV_EEXISTS, "invalid_request", 409, 1, "it exists already")                           \
	X(AV_EUNAVAIL, "vault_unavailable", 503, 1, "a part of aivault is not running")         \
	X(AV_ECUT, "upstream_unreachable", 502, 1, "the transfer ended early")                  \
	X(AV_ENOTSUP, "invalid_request", 501, 1, "not supported")

enum av_err {
#define X(name, code, http, ex, text) name,
	AV_ERRORS(X)
#undef X
	    AV_ERR_COUNT
};

#define AV_MUST_USE __attribute__((warn_unused_result))

/* The functions below accept any value; one outside the list reads as AV_ESYS. */
const char *av_err_name(enum av_err e); /* "AV_EPOLICY" */
const char *av_err_code(enum av_err e); /* "policy_violation" */
int av_err_http(enum av_err e);
int av_err_exit(enum av_err e);
const char *av_err_text(enum av_err e);

/*
 * struct fault: an error with its words, for the one message that a person or an agent sees.
 * `reason` is a short machine-readable word ([a-z0-9_]); `message` says what happened; `remedy` says
 * what to do (may be empty). Text is cut, never overflowed. Never holds secret bytes.
 */
struct fault {
	enum av_err err;
	char reason[48];
	char message[400];
	char remedy[240];
};

/* Fills *f and returns err, so that `return fault_set(...)` reads well. f may be NULL. */
enum av_err fault_set(struct fault *f, enum av_err err, const char *reason, const char *remedy,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
