/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define ENV_MAX 32

/* Values that all children get, whatever ours are. */
static const char *const fixed[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};

static const char *const for_all[] = {
    "HOME",
    "TZ",
#ifdef AV_SANITIZED
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "TSAN_OPTIONS",
    "LSAN_OPTIONS",
#endif
    NULL,
};

static const char *const for_keeper[] = {
    "AIVAULT_DIR",
    "AIVAULT_KEY",
    "AIVAULT_DISABLE_DISK_LOGS",
    NULL,
};

static bool
listed(const char *entry, size_t name_len, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strlen(*list) == name_len && memcmp(entry, *list, name_len) == 0)
			return true;
	}
	return false;
}

static bool
wanted(const char *entry, enum role role)
{
	const char *eq = strchr(entry, '=');

	if (eq == NULL || eq == entry)
		return false;
	size_t n = (size_t)(eq - entry);
	if (listed(entry, n, for_all))
		return true;
	if (role == ROLE_KEEPER && listed(entry, n, for_keeper))
		return true;
#ifdef AV_DEV
	static const char dev[] = "AIVAULT_DEV_";
	if (role == ROLE_BROKER && strncmp(entry, dev, sizeof(dev) - 1) == 0)
		return true;
#endif
	return false;
}

char **
child_environment(enum role role)
{
	char **env = calloc(ENV_MAX + 1, sizeof(*env));
	size_t n = 0;

	if (env == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		env[n++] = (char *)(uintptr_t)fixed[i];
	for (char **e = environ; e != NULL && *e != NULL && n < ENV_MAX; e++) {
		if (wanted(*e, role))
			env[n++] = *e;
	}
	return env;
}

/* The strings are the process's own environment: only the array is ours. */
void
child_environment_free(char **env)
{
	free(env);
}
