/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aivault-keeper - the vault. Started by aivaultd with its control socket at descriptor 3.
 */
#include "base/log.h"
#include "keeper/loop.h"
#include "keeper/operator_api.h"
#include "vault/box.h"
#include "wire/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int
print_help(void)
{
	printf("aivault-keeper holds the keys of aivault. It is started by aivaultd and by nothing "
	       "else.\n"
	       "\n"
	       "  --version   print the version\n"
	       "  --help      print this text\n");
	return 0;
}

static enum av_err
readable_place(const struct keeper *k, struct fault *f)
{
	return fault_set(f, AV_EINVAL, "vault_place",
	    "Move it to a place outside of /etc, /usr, /lib and /proc",
	    "the vault's directory %s stands where the broker, which talks to everybody, may read",
	    k->paths.root);
}

/* One keeper a vault root: the lock file holds the pid of its daemon. */
static enum av_err
take_lock(struct keeper *k, struct fault *f)
{
	char path[PATHS_MAX + 16], pid[32], real[PATH_MAX];
	if (confine_broker_could_read(k->paths.root))
		return readable_place(k, f);
	if (io_make_dirs(k->paths.root, 0700) != AV_OK)
		return fault_set(f, AV_ESYS, "vault_root", "Make it, owned by you, mode 0700",
		    "the vault's directory %s cannot be made or is not yours", k->paths.root);
	/* Its links followed. */
	if (realpath(k->paths.root, real) == NULL || confine_broker_could_read(real))
		return readable_place(k, f);
	snprintf(path, sizeof(path), "%s/vault.lock", k->paths.root);
	k->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (k->lock_fd < 0)
		return fault_set(f, AV_ESYS, "vault_lock", "Check the directory's permissions",
		    "%s cannot be opened: %s", path, strerror(errno));
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = read(k->lock_fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		return fault_set(f, AV_EEXISTS, "vault_in_use",
		    "Stop that one first: `aivault stop`",
		    "the vault %s is in use by process %.20s", k->paths.root, pid[0] ? pid : "?");
	}
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getppid());
	if (ftruncate(k->lock_fd, 0) != 0 || io_write_all(k->lock_fd, pid, (size_t)n) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "vault_lock", "Check free space", "%s cannot be written", path);
	return AV_OK;
}

static enum av_err
set_up(struct keeper *k, struct fault *f)
{
	struct paths paths;
	enum av_err e = paths_find(&paths, f);
	if (e == AV_OK && box_init() != AV_OK)
		e = fault_set(
		    f, AV_ESYS, "no_random", "", "the system has no source of random bytes");
	if (e == AV_OK)
		e = keeper_init(k, &paths, builtin_manifests, builtin_manifests_len, f);
	if (e == AV_OK) {
		k->control_fd = CONTROL_FD;
		k->log_in_memory = str_to_bool(getenv("AIVAULT_DISABLE_DISK_LOGS"));
		e = take_lock(k, f);
	}
	if (e == AV_OK &&
	    (confine_basic(&k->confinement) != AV_OK || confine_keeper(&k->confinement) != AV_OK))
		e = fault_set(f, AV_ESYS, "confinement", "", "the keeper could not be confined");
	if (e != AV_OK)
		return e;
	keeper_open_vault(k);
	keeper_note_checkpoint(k, "daemon.start");
	if (io_send_fds(k->control_fd, CONTROL_READY, NULL, 0) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "no_supervisor", "Start aivaultd", "there is no supervisor");
	return AV_OK;
}

int
main(int argc, char **argv)
{
	static struct keeper k;
	struct fault f = {0};
	struct stat st;
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("aivault-keeper %s\n", AV_VERSION);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return print_help();
	log_open("aivault-keeper", LOG_LEVEL_INFO);
	if (argc > 1 || fstat(CONTROL_FD, &st) != 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "aivault-keeper: it is started by aivaultd\n");
		return 2;
	}
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* The end comes over the control socket, after the broker's last outcome: a terminal's ^C and a
	 * service manager's kill reach the whole group. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	enum av_err e = set_up(&k, &f);
	if (e != AV_OK) {
		fprintf(
		    stderr, "aivault-keeper: %s: %s. %s\n", av_err_code(e), f.message, f.remedy);
		return 1;
	}
	e = loop_run(&k);
	keeper_note_checkpoint(&k, "daemon.stop");
	operator_close_all(&k);
	keeper_clear(&k);
	return e == AV_OK ? 0 : 1;
}
