/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/store.h"

#include "vault/schema.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_STATEMENTS 96u
#define PATH_ROOM 1200u

struct store {
	sqlite3 *db;
	char path[PATH_ROOM];
	char failed
	    [200]; /* why the last transaction was given up: ROLLBACK clears SQLite's own words */
	struct {
		const char *sql;
		sqlite3_stmt *st;
	} cache[MAX_STATEMENTS];
	size_t cached;
};

static enum av_err
err_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return AV_OK;
	case SQLITE_NOMEM:
		return AV_ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return AV_ECORRUPT;
	case SQLITE_CONSTRAINT:
		return AV_EEXISTS;
	default:
		return AV_ESYS;
	}
}

static enum av_err
exec(struct store *s, const char *sql)
{
	return err_of(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* For what is done again and again: the statement is kept. */
static enum av_err
again(struct store *s, const char *sql)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, sql, &st);
	return e == AV_OK ? store_run(st) : e;
}

enum av_err
store_keep_log_in_memory(struct store *s)
{
	return exec(s, SCHEMA_MEMORY_LOG);
}

bool
store_exists(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return false;
	/* A creation that was cut short leaves an empty file. */
	return !(S_ISREG(st.st_mode) && st.st_size == 0);
}

/* SQLITE_OPEN_NOFOLLOW refuses a link anywhere in the path, so the directory's part is resolved
 * first: only the file itself must not be one. */
static enum av_err
resolve_path(const char *path, char out[PATH_ROOM])
{
	char dir[PATH_ROOM];
	char real[4096 + 1];
	const char *slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) >= sizeof(dir))
		return AV_ELIMIT;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	if (realpath(dir[0] != '\0' ? dir : "/", real) == NULL)
		return errno == ENOENT ? AV_ENOTFOUND : AV_ESYS;
	int n = snprintf(out, PATH_ROOM, "%s%s", real, slash);
	return n < 0 || (size_t)n >= PATH_ROOM ? AV_ELIMIT : AV_OK;
}

static enum av_err
check_file(const char *path, struct fault *f)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return fault_set(f, AV_ESYS, "database_unreadable", "Check the vault's directory",
		    "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(
		    f, AV_ESYS, "database_not_a_file", "", "%s is not a regular file", path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		return fault_set(f, AV_ESYS, "database_owner",
		    "Run the daemon as the vault's owner", "%s belongs to another user", path);
	if ((st.st_mode & 022) != 0)
		return fault_set(f, AV_ESYS, "database_mode", "Run chmod 600 on it",
		    "%s can be written by others", path);
	return AV_OK;
}

static enum av_err
open_db(const char *path, int flags, struct store **out, struct fault *f)
{
	struct store *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	enum av_err e = resolve_path(path, s->path);
	if (e != AV_OK) {
		free(s);
		return fault_set(f, e, "database_unreadable", "Check the vault's directory",
		    "the directory of %s cannot be found", path);
	}
	/* Before anything of SQLite runs; later ones are refused, and change nothing. No process of ours
	 * uses it from two threads, nor asks how much memory it has: without locks around each of its
	 * allocations a call costs the keeper a tenth less. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	int rc = sqlite3_open_v2(s->path, &s->db,
	    flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	/* Opened all the same, SQLite would make -wal and -shm files that nobody may write to either. */
	if (rc == SQLITE_OK && sqlite3_db_readonly(s->db, "main") == 1) {
		fault_set(f, AV_ESYS, "database_read_only",
		    "Run chmod 600 on it, or look at its disk", "%s cannot be written", path);
		store_close(s);
		return AV_ESYS;
	}
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(s->db, 1);
		sqlite3_busy_timeout(s->db, 2000);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 8 * 1024 * 1024);
		rc = sqlite3_exec(s->db, SCHEMA_PRAGMAS, NULL, NULL, NULL);
	}
	if (rc != SQLITE_OK) {
		e = err_of(rc);
		fault_set(f, e, e == AV_ECORRUPT ? "database_corrupt" : "database_unreadable",
		    "Restore it from a backup, or check the disk and its permissions", "%s: %s",
		    path, s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
		store_close(s);
		return e;
	}
	*out = s;
	return AV_OK;
}

static enum av_err
user_version(struct store *s, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, "PRAGMA user_version", &st);
	if (e == AV_OK)
		e = store_step(st, &row);
	*out = e == AV_OK && row ? sqlite3_column_int64(st, 0) : 0;
	store_done(st);
	return e;
}

/* All of it or nothing: what fails leaves the vault as it was, for the version that made it. */
static enum av_err
upgrade(struct store *s, int64_t from, const char *path, struct fault *f)
{
	enum av_err e = store_begin(s);
	if (e == AV_OK && from < 2)
		e = exec(s, SCHEMA_FROM_1);
	if (e == AV_OK)
		e = exec(s, SCHEMA_FROM_2);
	if (e == AV_OK)
		e = store_commit(s);
	if (e != AV_OK)
		fault_set(f, e, "database_upgrade", "Check free space and permissions", "%s: %s",
		    path, sqlite3_errmsg(s->db));
	return e;
}

enum av_err
store_open(const char *path, struct store **out, struct fault *f)
{
	struct store *s = NULL;
	int64_t version = 0;
	if (!store_exists(path))
		return fault_set(f, AV_ENOVAULT, "no_vault", "Run `aivault secrets create`",
		    "there is no vault yet");
	enum av_err e = check_file(path, f);
	if (e == AV_OK)
		e = open_db(path, SQLITE_OPEN_READWRITE, &s, f);
	if (e != AV_OK)
		return e;
	e = user_version(s, &version);
	if (e != AV_OK) {
		fault_set(f, e, e == AV_ECORRUPT ? "database_corrupt" : "database_unreadable",
		    "Restore it from a backup", "%s: %s", path, sqlite3_errmsg(s->db));
	} else if (version == 0) {
		e = fault_set(f, AV_ENOVAULT, "no_vault", "Run `aivault secrets create`",
		    "there is no vault yet");
	} else if (version > 0 && version < STORE_SCHEMA) {
		e = upgrade(s, version, path, f);
	} else if (version != STORE_SCHEMA) {
		e = fault_set(f, AV_ECORRUPT, "unknown_schema",
		    "Use the version that made it, or newer",
		    "%s has schema %lld, this version knows %d", path, (long long)version,
		    STORE_SCHEMA);
	}
	if (e != AV_OK) {
		store_close(s);
		return e;
	}
	*out = s;
	return AV_OK;
}

enum av_err
store_create(const char *path, struct store **out, struct fault *f)
{
	struct store *s = NULL;
	int64_t version = 0;
	/* Made by us and not by SQLite, for the mode; its -wal and -shm files follow it. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fault_set(f, AV_ESYS, "database_create",
		    "Check the directory's permissions and free space", "%s cannot be made: %s",
		    path, strerror(errno));
	close(fd);
	enum av_err e = check_file(path, f);
	if (e == AV_OK)
		e = open_db(path, SQLITE_OPEN_READWRITE, &s, f);
	if (e != AV_OK)
		return e;
	e = store_begin(s);
	if (e == AV_OK)
		e = user_version(s, &version);
	if (e == AV_OK && version != 0) {
		store_close(s);
		return fault_set(
		    f, AV_EEXISTS, "vault_exists", "", "there is a vault already at %s", path);
	}
	if (e == AV_OK)
		e = exec(s, SCHEMA_TABLES);
	if (e != AV_OK) {
		fault_set(f, e, "database_create", "Check free space and permissions", "%s: %s",
		    path, sqlite3_errmsg(s->db));
		store_close(s);
		return e;
	}
	*out = s;
	return AV_OK;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_rollback(s);
	for (size_t i = 0; i < s->cached; i++)
		sqlite3_finalize(s->cache[i].st);
	sqlite3_close(s->db);
	free(s);
}

enum av_err
store_begin(struct store *s)
{
	s->failed[0] = '\0';
	return again(s, "BEGIN IMMEDIATE");
}

enum av_err
store_commit(struct store *s)
{
	enum av_err e = again(s, "COMMIT");
	if (e != AV_OK)
		store_rollback(s);
	return e;
}

enum av_err
store_checkpoint(struct store *s)
{
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return err_of(rc);
}

void
store_rollback(struct store *s)
{
	if (s->db != NULL && err_of(sqlite3_errcode(s->db)) != AV_OK && s->failed[0] == '\0')
		snprintf(s->failed, sizeof(s->failed), "%s", sqlite3_errmsg(s->db));
	if (store_in_transaction(s))
		(void)exec(s, "ROLLBACK");
}

bool
store_in_transaction(const struct store *s)
{
	return s->db != NULL && sqlite3_get_autocommit(s->db) == 0;
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

const char *
store_message(const struct store *s)
{
	return s->failed[0] != '\0' ? s->failed : sqlite3_errmsg(s->db);
}

enum av_err
store_stmt(struct store *s, const char *sql, sqlite3_stmt **out)
{
	*out = NULL;
	for (size_t i = 0; i < s->cached; i++) {
		if (s->cache[i].sql == sql) {
			*out = s->cache[i].st;
			return AV_OK;
		}
	}
	if (s->cached == MAX_STATEMENTS)
		return AV_ELIMIT;
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	if (rc != SQLITE_OK)
		return err_of(rc);
	s->cache[s->cached].sql = sql;
	s->cache[s->cached++].st = st;
	*out = st;
	return AV_OK;
}

enum av_err
store_step(sqlite3_stmt *st, bool *row)
{
	int rc = sqlite3_step(st);
	if (row != NULL)
		*row = rc == SQLITE_ROW;
	return err_of(rc);
}

void
store_done(sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

enum av_err
store_run(sqlite3_stmt *st)
{
	enum av_err e = store_step(st, NULL);
	store_done(st);
	return e;
}

void
store_bind_text(sqlite3_stmt *st, int at, struct str s)
{
	sqlite3_bind_text64(st, at, s.len > 0 ? s.p : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}

void
store_bind_blob(sqlite3_stmt *st, int at, const void *p, size_t len)
{
	sqlite3_bind_blob64(st, at, len > 0 ? p : "", len, SQLITE_STATIC);
}

void
store_bind_int(sqlite3_stmt *st, int at, int64_t v)
{
	sqlite3_bind_int64(st, at, v);
}

struct str
store_column(sqlite3_stmt *st, int at)
{
	const void *p = sqlite3_column_blob(st, at);
	int n = sqlite3_column_bytes(st, at);
	if (p == NULL || n <= 0)
		return STR_LIT("");
	return (struct str){p, (size_t)n};
}
