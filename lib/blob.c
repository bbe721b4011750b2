#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "ndjson.h"

enum {
	NAME = SHA256_HEX + 1,          /* ab/cdef... and a NUL */
	TEMP = 64
};

static int
name_of(const char *hex, char name[NAME])
{
	if (strspn(hex, "0123456789abcdef") != SHA256_HEX - 1 || hex[SHA256_HEX - 1]) {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, NAME, "%.2s/%s", hex, hex + 2);
	return 0;
}

int
blob_open(struct blob *b, const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return -1;
	b->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->dir < 0 ? -1 : 0;
}

void
blob_close(struct blob *b)
{
	if (b->dir >= 0)
		close(b->dir);
	b->dir = -1;
}

bool
blob_has(struct blob *b, const char *hex)
{
	char name[NAME];
	struct stat st;

	return name_of(hex, name) == 0 && fstatat(b->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
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
open_temp(struct blob *b, char tmp[TEMP])
{
	static unsigned long serial;
	int fd;

	do {
		snprintf(tmp, TEMP, "tmp.%ld.%lu", (long)getpid(), serial++);
		fd = openat(b->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

static int
write_temp(struct blob *b, char tmp[TEMP], const void *p, size_t len)
{
	int fd = open_temp(b, tmp), e;

	if (fd < 0)
		return -1;
	if (write_all(fd, p, len) < 0 || fsync(fd) < 0) {
		e = errno;
		close(fd);
		unlinkat(b->dir, tmp, 0);
		errno = e;
		return -1;
	}
	if (close(fd) == 0)
		return 0;
	e = errno;
	unlinkat(b->dir, tmp, 0);
	errno = e;
	return -1;
}

/* Whether it is there; then it is young again. */
static int
touch(struct blob *b, const char *name)
{
	if (utimensat(b->dir, name, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

static int
put(struct blob *b, const char *hex, const char *name, const void *p, size_t len)
{
	char fan[3], tmp[TEMP];
	int e = blob_has(b, hex) ? touch(b, name) : 0;

	if (e)
		return e < 0 ? -1 : 0;
	snprintf(fan, sizeof fan, "%.2s", hex);
	if (mkdirat(b->dir, fan, 0777) == 0) {
		if (fsync(b->dir) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	/* Two writers of the same bytes have two files, and whichever is renamed
	 * last leaves the same content. */
	if (write_temp(b, tmp, p, len) < 0)
		return -1;
	if (renameat(b->dir, tmp, b->dir, name) < 0) {
		e = errno;
		unlinkat(b->dir, tmp, 0);
		errno = e;
		return -1;
	}
	return sync_dir(b->dir, fan);
}

int
blob_put(struct blob *b, const void *p, size_t len, char hex[SHA256_HEX])
{
	char name[NAME];
	int r, e;

	sha256_hex(p, len, hex);
	if (name_of(hex, name) < 0 || flock(b->dir, LOCK_SH) < 0)
		return -1;
	r = put(b, hex, name, p, len);
	e = errno;
	flock(b->dir, LOCK_UN);
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
blob_get(struct blob *b, const char *hex, size_t max, struct buf *out)
{
	char name[NAME], is[SHA256_HEX];
	size_t from = out->len;
	int fd, r, e;

	if (name_of(hex, name) < 0)
		return -1;
	if ((fd = openat(b->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
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
