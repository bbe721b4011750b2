#include "blob_int.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of the store, "." or one of its fans; NULL with errno. */
static DIR *
open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), e;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0) {
		e = errno;
		close(fd);
		errno = e;
	}
	return d;
}

static int
close_dir(DIR *d, int r)
{
	int e = errno;

	closedir(d);
	errno = e;
	return r;
}

/* 1: a file that was written last before the second before; 0: not; -1. */
static int
is_old(int at, const char *name, int64_t before)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISREG(st.st_mode) && st.st_mtime < before;
}

static int
old_in(int dir, const char *fan, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx)
{
	char hex[SHA256_HEX];
	struct dirent *e;
	DIR *d = open_dir(dir, fan);
	int r;

	if (!d)
		return errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (strlen(e->d_name) != SHA256_HEX - 3)
			continue;
		snprintf(hex, sizeof(hex), "%.2s%.*s", fan, SHA256_HEX - 3, e->d_name);
		if (strspn(hex, "0123456789abcdef") != SHA256_HEX - 1)
			continue;
		if ((r = is_old(dirfd(d), e->d_name, before)) < 0)
			return close_dir(d, -1);
		if (r)
			each(ctx, hex);
	}
	return close_dir(d, errno ? -1 : 0);
}

int
blob_dir_old(int dir, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx)
{
	char fan[3];

	for (int i = 0; i < 256; i++) {
		snprintf(fan, sizeof(fan), "%02x", (unsigned)i);
		if (old_in(dir, fan, before, each, ctx) < 0 && errno != ENOENT)
			return -1;
	}
	return 0;
}

int
blob_dir_drop(int dir, const char *hex, int64_t before)
{
	char name[BLOB_NAME];
	int r, e;

	snprintf(name, sizeof(name), "%.2s/%.62s", hex, hex + 2);
	if (flock(dir, LOCK_EX) < 0)
		return -1;
	r = is_old(dir, name, before);
	if (r == 0 && blob_dir_has(dir, hex))
		r = BLOB_YOUNG;
	else if (r == 1)
		r = unlinkat(dir, name, 0) == 0 ? BLOB_DROPPED : errno == ENOENT ? BLOB_NONE : -1;
	e = errno;
	flock(dir, LOCK_UN);
	errno = e;
	return r;
}

int
blob_dir_drop_temps(int dir, int64_t before)
{
	struct dirent *e;
	DIR *d = open_dir(dir, ".");
	int n = 0, r;

	if (!d)
		return -1;
	for (errno = 0; (e = readdir(d)); errno = 0) {
		if (strncmp(e->d_name, "tmp.", 4) || !isdigit((unsigned char)e->d_name[4]))
			continue;
		if ((r = is_old(dirfd(d), e->d_name, before)) < 0 || (r == 1 && unlinkat(dirfd(d), e->d_name, 0) < 0))
			return close_dir(d, -1);
		n += r;
	}
	return close_dir(d, errno ? -1 : n);
}
