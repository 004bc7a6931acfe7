/* SPDX-License-Identifier: Apache-2.0 */
#include "base/paths.h"

#include "base/str.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __APPLE__
#define SHARED_SOCKET "/Users/Shared/aivault/run/aivaultd.sock"
#else
#define SHARED_SOCKET "/var/run/aivault/aivaultd.sock"
#endif

#define SUN_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A variable's value without blanks at both ends; empty where it is unset or blank. */
static struct str
env_trimmed(const char *name)
{
	struct str s = str_of(getenv(name));

	while (s.len > 0 && is_space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

static enum av_err
too_long(struct fault *f, const char *what, size_t max)
{
	return fault_set(f, AV_ELIMIT, "path_too_long", "Use a shorter directory.",
	    "the path of the %s is longer than %zu bytes", what, max);
}

static enum av_err
join(char *out, struct str dir, const char *rest, const char *what, struct fault *f)
{
	size_t rest_len = strlen(rest);

	if (dir.len + rest_len >= PATHS_MAX)
		return too_long(f, what, PATHS_MAX - 1);
	if (dir.len > 0)
		memcpy(out, dir.p, dir.len);
	memcpy(out + dir.len, rest, rest_len + 1);
	return AV_OK;
}

/* A relative directory is made absolute: the daemon that is started may work elsewhere. */
static enum av_err
absolute(char *out, struct str dir, const char *what, struct fault *f)
{
	char cwd[PATHS_MAX];
	size_t len;

	while (dir.len > 1 && dir.p[dir.len - 1] == '/')
		dir.len--;
	if (dir.len > 0 && dir.p[0] == '/')
		return join(out, dir, "", what, f);
	if (getcwd(cwd, sizeof cwd) == NULL)
		return fault_set(f, AV_ENOTFOUND, "no_directory", "Give an absolute path.",
		    "the working directory cannot be found");
	len = strlen(cwd);
	if (len + 1 + dir.len >= PATHS_MAX)
		return too_long(f, what, PATHS_MAX - 1);
	memcpy(out, cwd, len);
	out[len] = '/';
	memcpy(out + len + 1, dir.p, dir.len);
	out[len + 1 + dir.len] = '\0';
	return AV_OK;
}

static enum av_err
find_home(char *out, struct fault *f)
{
	const char *home = getenv("HOME");
	struct passwd pw, *found = NULL;
	char room[4096];

	if (home != NULL && home[0] == '/')
		return absolute(out, str_of(home), "home directory", f);
	if (getpwuid_r(geteuid(), &pw, room, sizeof room, &found) == 0 && found != NULL &&
	    found->pw_dir != NULL && found->pw_dir[0] == '/')
		return absolute(out, str_of(found->pw_dir), "home directory", f);
	return fault_set(f, AV_ENOTFOUND, "no_home", "Set HOME or AIVAULT_DIR.",
	    "no home directory can be found");
}

static enum av_err
check_socket(const char *path, const char *what, struct fault *f)
{
	return strlen(path) > SUN_PATH_MAX ? too_long(f, what, SUN_PATH_MAX) : AV_OK;
}

static enum av_err
find_sockets(struct paths *out, struct str base, struct fault *f)
{
	struct str shared = env_trimmed("AIVAULTD_SHARED_SOCKET");
	struct str named = env_trimmed("AIVAULTD_SOCKET");
	enum av_err e;

	e = join(out->agent_socket, base, "/run/aivaultd.sock", "agent socket", f);
	if (e == AV_OK)
		e = check_socket(out->agent_socket, "agent socket", f);
	if (e == AV_OK)
		e = join(out->operator_socket, base, "/run/operator.sock", "operator socket", f);
	if (e == AV_OK)
		e = check_socket(out->operator_socket, "operator socket", f);
	out->shared_overridden = shared.len > 0;
	if (shared.len == 0)
		shared = STR_LIT(SHARED_SOCKET);
	if (e == AV_OK)
		e = join(out->shared_socket, shared, "", "shared socket", f);
	if (e == AV_OK)
		e = check_socket(out->shared_socket, "shared socket", f);
	if (e == AV_OK)
		e = join(out->explicit_socket, named, "", "socket in AIVAULTD_SOCKET", f);
	if (e == AV_OK)
		e = check_socket(out->explicit_socket, "socket in AIVAULTD_SOCKET", f);
	return e;
}

enum av_err
paths_find(struct paths *out, struct fault *f)
{
	struct str dir = env_trimmed("AIVAULT_DIR");
	char base[PATHS_MAX];
	enum av_err e;

	memset(out, 0, sizeof *out);
	out->has_dir_override = dir.len > 0;
	if (out->has_dir_override) {
		e = absolute(base, dir, "vault", f);
		if (e == AV_OK)
			e = join(out->root, str_of(base), "", "vault", f);
		if (e == AV_OK)
			e = join(out->key_file, str_of(base), "/kek.key", "key file", f);
	} else {
		char home[PATHS_MAX];

		e = find_home(home, f);
		if (e == AV_OK)
			e = join(base, str_of(home), "/.aivault", "vault", f);
		if (e == AV_OK)
			e = join(out->root, str_of(base), "/data/vault", "vault", f);
		if (e == AV_OK)
			e = join(out->key_file, str_of(base), "/keys/kek.key", "key file", f);
	}
	if (e == AV_OK)
		e = join(out->database, str_of(out->root), "/vault.db", "database", f);
	if (e == AV_OK)
		e = join(out->limits_file, str_of(base), "/limits.conf", "limits", f);
	if (e == AV_OK)
		e = join(out->capabilities_dir, str_of(base), "/capabilities", "scripts", f);
	if (e == AV_OK)
		e = join(out->policies_dir, str_of(base), "/policies", "scripts", f);
	if (e == AV_OK)
		e = find_sockets(out, str_of(base), f);
	return e;
}

enum av_err
paths_operator_beside(const char *agent_socket, char *out, size_t out_len)
{
	const char *slash = strrchr(agent_socket, '/');
	int dir_len = slash == NULL ? 0 : (int)(slash - agent_socket) + 1;
	int n = snprintf(out, out_len, "%.*soperator.sock", dir_len, agent_socket);

	if (n < 0 || (size_t)n >= out_len || (size_t)n > SUN_PATH_MAX)
		return AV_ELIMIT;
	return AV_OK;
}
