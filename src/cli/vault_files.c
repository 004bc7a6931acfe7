/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vault_files.h"

#include "cli/print.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MESSAGE_MAX (2 * PATHS_MAX + 128)

/* Neither more than the owner may, nor less than the owner needs. */
static void
check_mode(struct findings *r, const char *what, const char *path, const struct stat *st,
    mode_t most, mode_t least)
{
	char message[MESSAGE_MAX];
	char remedy[MESSAGE_MAX];
	mode_t mode = st->st_mode & 07777u;
	bool enough = (mode & least) == least;

	(void)snprintf(message, sizeof(message), "%s has mode %04o%s", path, (unsigned)mode,
	    enough ? "" : ": its owner may not use it");
	(void)snprintf(remedy, sizeof(remedy), "chmod %04o %s", (unsigned)most, path);
	if (enough && (mode & ~most) == 0)
		findings_ok(r, what, message);
	else
		findings_bad(r, what, message, remedy);
	if (st->st_uid != geteuid() && geteuid() != 0) {
		(void)snprintf(message, sizeof(message), "%s belongs to uid %lu", path,
		    (unsigned long)st->st_uid);
		findings_bad(r, what, message, "Use the vault as its owner");
	}
}

static void
tell_errno(struct findings *r, const char *what, const char *path)
{
	char message[MESSAGE_MAX];

	(void)snprintf(
	    message, sizeof(message), "%s cannot be looked at: %s", path, strerror(errno));
	findings_bad(r, what, message, "Run aivault doctor as the vault's owner");
}

/* A directory may be a link: what counts is where it leads. False: nothing in it can be looked at. */
static bool
check_root(struct findings *r, const char *path)
{
	char message[MESSAGE_MAX];
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			tell_errno(r, "root", path);
		else if (lstat(path, &st) == 0)
			findings_bad(r, "root", "its symbolic link leads nowhere",
			    "Make the directory that it names, or remove the link");
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		(void)snprintf(message, sizeof(message), "%s is no directory", path);
		findings_bad(r, "root", message, "Move it away, or set AIVAULT_DIR");
		return false;
	}
	check_mode(r, "root", path, &st, 0700, 0700);
	return access(path, X_OK) == 0;
}

/* The daemon opens no link in the place of these files. */
static void
tell_link(struct findings *r, const char *what, const char *path)
{
	char message[MESSAGE_MAX], remedy[MESSAGE_MAX];
	char *target = realpath(path, NULL);

	if (target == NULL) {
		(void)snprintf(
		    message, sizeof(message), "%s is a symbolic link that leads nowhere", path);
		(void)snprintf(remedy, sizeof(remedy), "Put the file itself in its place");
	} else {
		(void)snprintf(message, sizeof(message),
		    "%s is a symbolic link, which the daemon does not follow", path);
		(void)snprintf(remedy, sizeof(remedy), "mv %s %s", target, path);
	}
	free(target);
	findings_bad(r, what, message, remedy);
}

static void
check_file(struct findings *r, const char *what, const char *path, mode_t least)
{
	char message[MESSAGE_MAX];
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno != ENOENT)
			tell_errno(r, what, path);
	} else if (S_ISLNK(st.st_mode)) {
		tell_link(r, what, path);
	} else if (!S_ISREG(st.st_mode)) {
		(void)snprintf(message, sizeof(message), "%s is no regular file", path);
		findings_bad(r, what, message, "Put the file itself in its place");
	} else {
		check_mode(r, what, path, &st, 0600, least);
	}
}

static void
check_room(struct findings *r, const char *root)
{
	char message[MESSAGE_MAX];
	struct statvfs st;

	if (statvfs(root, &st) != 0)
		return;
	uint64_t room = (uint64_t)st.f_bavail * (st.f_frsize != 0 ? st.f_frsize : st.f_bsize);
	(void)snprintf(message, sizeof(message), "%" PRIu64 " MiB are free for the vault",
	    room / (1024u * 1024u));
	/* Some file systems have no fixed number of files: they tell 0 of 0. */
	if (st.f_files > 0 && st.f_favail == 0)
		findings_bad(r, "space", "the vault's file system can hold no further file",
		    "Remove files there, or move the vault: calls are refused when rows cannot be "
		    "written");
	else if (room < VAULT_FILES_ROOM_MIN)
		findings_bad(r, "space", message,
		    "Make room there: calls are refused when their rows cannot be written");
	else
		findings_ok(r, "space", message);
}

/* A limit that its author takes for one, and that is none, is worse than no limit. */
static void
check_scripts(struct findings *r, const char *dir)
{
	char message[MESSAGE_MAX], count[48];
	const struct dirent *entry;
	uint64_t scripts = 0;
	DIR *d = opendir(dir);

	if (d == NULL) {
		if (errno != ENOENT)
			tell_errno(r, "scripts", dir);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name);
		scripts += n > 4 && strcmp(entry->d_name + n - 4, ".lua") == 0;
	}
	(void)closedir(d);
	if (scripts == 0)
		return;
	plural(count, sizeof(count), scripts, "script", "scripts");
	(void)snprintf(message, sizeof(message),
	    "%s in %s without effect: this version loads the built-in ones only", count, dir);
	findings_bad(r, "scripts", message,
	    "Move them away; aivault capability create and capability policy set do what it can");
}

void
vault_files_check(struct findings *r, const struct paths *p, const char *key_file)
{
	if (!check_root(r, p->root))
		return;
	check_file(r, "database", p->database, 0600);
	if (key_file != NULL)
		check_file(r, "key file", key_file, 0400);
	check_scripts(r, p->capabilities_dir);
	check_scripts(r, p->policies_dir);
	check_room(r, p->root);
}
