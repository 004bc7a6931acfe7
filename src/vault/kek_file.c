/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/kek.h"

#include "base/confine.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 256u

static enum av_err
readable_place(const char *path, struct fault *f)
{
	return fault_set(f, AV_EKEY, "key_place",
	    "Move it to a place outside of /etc, /usr, /lib and /proc",
	    "the key file %s stands where the broker, which talks to everybody, may read", path);
}

/* `real_of`: the file, or the directory that it will be in; without its links. */
static enum av_err
check_place(const char *real_of, const char *path, struct fault *f)
{
	char real[PATH_MAX];
	if (realpath(real_of, real) == NULL)
		return fault_set(f, AV_EKEY, "key_unreadable", "Check the path's directories",
		    "the key file %s cannot be found: %s", path, strerror(errno));
	return confine_broker_could_read(real) ? readable_place(path, f) : AV_OK;
}

enum av_err
kek_file_create(const char *path, struct kek **out, struct fault *f)
{
	uint8_t raw[KEK_LEN];
	char text[TEXT_MAX];
	char dir[1024];
	enum av_err e = AV_OK;

	const char *slash = strrchr(path, '/');
	if (path[0] != '/' || slash == NULL || (size_t)(slash - path) >= sizeof(dir))
		return fault_set(f, AV_EUSAGE, "bad_key_path", "Give an absolute path",
		    "the key file's path is not usable");
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	if (confine_broker_could_read(path))
		return readable_place(path, f);
	if (dir[0] != '\0' && io_make_dirs(dir, 0700) != AV_OK)
		return fault_set(f, AV_EKEY, "key_dir",
		    "Make the directory, owned by you, mode 0700",
		    "the directory of the key file %s cannot be made", path);
	e = check_place(dir[0] != '\0' ? dir : "/", path, f);
	if (e != AV_OK)
		return e;
	randombytes_buf(raw, sizeof(raw));
	b64_encode(raw, sizeof(raw), text);
	e = io_create_file(AT_FDCWD, path, 0600, text, strlen(text));
	if (e == AV_OK)
		e = kek_new(raw, out);
	else if (e == AV_EEXISTS)
		fault_set(f, e, "key_exists", "Move it away, or name another with --file-path",
		    "the key file %s exists already and is never overwritten", path);
	else
		fault_set(f, e, "key_create", "Check the directory's permissions and free space",
		    "the key file %s cannot be written", path);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(text, sizeof(text));
	return e;
}

static enum av_err
read_key_text(const char *path, char text[TEXT_MAX], size_t *len, struct fault *f)
{
	struct stat st;
	enum av_err e = AV_EKEY;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return fault_set(f, AV_EKEY, errno == ENOENT ? "key_missing" : "key_unreadable",
		    "Put the key file back, or restore the vault with its key",
		    "the key file %s cannot be opened: %s", path, strerror(errno));
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		fault_set(
		    f, e, "key_not_a_file", "", "the key file %s is not a regular file", path);
		goto out;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		fault_set(f, e, "key_owner", "Give the file back to the vault's owner",
		    "the key file %s belongs to another user", path);
		goto out;
	}
	if ((st.st_mode & 077) != 0) {
		fault_set(f, e, "key_mode", "Run chmod 600 on it",
		    "the key file %s can be read or written by others", path);
		goto out;
	}
	if (check_place(path, path, f) != AV_OK)
		goto out;
	ssize_t n = read(fd, text, TEXT_MAX);
	if (n < 0 || (size_t)n >= TEXT_MAX) {
		fault_set(f, e, "key_malformed", "Put the right key file back",
		    "the key file %s does not hold a key", path);
		goto out;
	}
	*len = (size_t)n;
	e = AV_OK;
out:
	close(fd);
	return e;
}

enum av_err
kek_file_load(const char *path, struct kek **out, struct fault *f)
{
	char text[TEXT_MAX];
	uint8_t raw[KEK_LEN];
	size_t len = 0;
	enum av_err e = read_key_text(path, text, &len, f);
	if (e != AV_OK)
		goto out;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	struct str s = str_trim((struct str){text, len});
	size_t n = sizeof(raw);
	if (!(b64_decode(s, raw, &n) == AV_OK && n == KEK_LEN) &&
	    hex_decode(s, raw, KEK_LEN) != AV_OK) {
		e = fault_set(f, AV_EKEY, "key_malformed", "Put the right key file back",
		    "the key file %s does not hold a key of 32 bytes in base64", path);
		goto out;
	}
	e = kek_new(raw, out);
out:
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(text, sizeof(text));
	return e;
}
