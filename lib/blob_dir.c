#include "blob_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ndjson.h"

/* A blob is written to a temporary file, synced, then renamed to ab/cdef... */
enum { TEMP = 64 };

int
blob_dir_open(const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
blob_dir_has(int dir, const char *hex)
{
	char name[BLOB_NAME];
	struct stat st;

	return blob_name(hex, name) == 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

/* Makes the new name in its folder durable. */
static int
sync_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

/* A new file that is nobody else's: a machine or container that shares the folder
 * has the same pids. tmp gets its name. */
static int
open_temp(int dir, char tmp[TEMP])
{
	static unsigned long serial;
	int fd;

	do {
		snprintf(tmp, TEMP, "tmp.%ld.%lu", (long)getpid(), serial++);
		fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

static int
write_temp(int dir, char tmp[TEMP], const void *p, size_t len)
{
	int fd = open_temp(dir, tmp), e;

	if (fd < 0)
		return -1;
	if (write_all(fd, p, len) < 0 || fsync(fd) < 0) {
		e = errno;
		close(fd);
		unlinkat(dir, tmp, 0);
		errno = e;
		return -1;
	}
	if (close(fd) == 0)
		return 0;
	e = errno;
	unlinkat(dir, tmp, 0);
	errno = e;
	return -1;
}

/* Whether it is there; then it is young again. */
static int
touch(int dir, const char *name)
{
	if (utimensat(dir, name, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

static int
put(int dir, const char *hex, const char *name, const void *p, size_t len)
{
	char fan[3], tmp[TEMP];
	int e = blob_dir_has(dir, hex) ? touch(dir, name) : 0;

	if (e)
		return e < 0 ? -1 : 0;
	snprintf(fan, sizeof fan, "%.2s", hex);
	if (mkdirat(dir, fan, 0777) == 0) {
		if (fsync(dir) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	/* Two writers of the same bytes have two files, and whichever is renamed
	 * last leaves the same content. */
	if (write_temp(dir, tmp, p, len) < 0)
		return -1;
	if (renameat(dir, tmp, dir, name) < 0) {
		e = errno;
		unlinkat(dir, tmp, 0);
		errno = e;
		return -1;
	}
	return sync_dir(dir, fan);
}

int
blob_dir_put(int dir, const void *p, size_t len, const char *hex)
{
	char name[BLOB_NAME];
	int r, e;

	if (blob_name(hex, name) < 0 || flock(dir, LOCK_SH) < 0)
		return -1;
	r = put(dir, hex, name, p, len);
	e = errno;
	flock(dir, LOCK_UN);
	errno = e;
	return r;
}

static int
read_all(int fd, size_t max, struct buf *out)
{
	size_t from = out->len;

	for (;;) {
		ssize_t n = read(fd, buf_room(out, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
		if (out->len - from > max) {
			errno = EFBIG;
			return -1;
		}
	}
}

int
blob_dir_get(int dir, const char *hex, size_t max, struct buf *out)
{
	char name[BLOB_NAME], is[SHA256_HEX];
	size_t from = out->len;
	int fd, r, e;

	if (blob_name(hex, name) < 0)
		return -1;
	if ((fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return -1;
	r = read_all(fd, max, out);
	e = errno;
	close(fd);
	if (r == 0) {
		sha256_hex(out->p ? out->p + from : "", out->len - from, is);
		if (strcmp(is, hex) == 0)
			return 0;
		e = EBADMSG;
	}
	out->len = from;
	errno = e;
	return -1;
}
