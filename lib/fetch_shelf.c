#include "fetch_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ndjson.h"

enum { NAME = 80, LEFT_S = 3600 };

struct entry {
	char name[NAME];
	int64_t at;
	uint64_t size;
};

static int
open_temp(int dir, const char *name, char temp[NAME])
{
	static unsigned count;
	struct timespec t;
	char folder[3] = { name[0], name[1], 0 };
	int fd;

	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(temp, NAME, "%s/tmp.%d.%lx.%u", folder, (int)getpid(), (unsigned long)t.tv_nsec, count++);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(dir, folder, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int
shelf_put(int dir, const char *name, const struct buf *bytes)
{
	char temp[NAME], path[NAME];
	int fd = open_temp(dir, name, temp), r, e;

	if (fd < 0)
		return -1;
	r = write_all(fd, bytes->p, bytes->len);
	e = errno;
	if (close(fd) < 0 && r == 0) {
		r = -1;
		e = errno;
	}
	snprintf(path, sizeof path, "%.2s/%.70s", name, name + 2);
	if (r == 0 && renameat(dir, temp, dir, path) < 0) {
		r = -1;
		e = errno;
	}
	if (r < 0)
		unlinkat(dir, temp, 0);
	errno = e;
	return r;
}

int
shelf_get(int dir, const char *name, size_t max, struct buf *out)
{
	size_t from = out->len;
	char path[NAME];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%.2s/%.70s", name, name + 2);
	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return -1;
	while ((n = read(fd, buf_room(out, 65536), 65536)) > 0) {
		out->len += (size_t)n;
		if (out->len - from > max) {
			errno = EFBIG;
			n = -1;
			break;
		}
	}
	if (n < 0) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	close(fd);
	return 0;
}

int
shelf_drop(int dir, const char *name)
{
	char path[NAME];

	snprintf(path, sizeof path, "%.2s/%.70s", name, name + 2);
	return unlinkat(dir, path, 0) < 0 && errno != ENOENT ? -1 : 0;
}

static int
older(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* What lies in the folder, the oldest first; *total: their bytes. */
static size_t
list(DIR *d, struct entry **all, uint64_t *total)
{
	size_t n = 0, cap = 0;
	struct dirent *e;
	struct stat st;

	*all = NULL;
	*total = 0;
	while ((e = readdir(d))) {
		if (strlen(e->d_name) >= NAME || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (n == cap)
			*all = mem_array(*all, cap = cap ? cap * 2 : 64, sizeof **all);
		memcpy((*all)[n].name, e->d_name, strlen(e->d_name) + 1);
		(*all)[n].at = st.st_mtime;
		(*all)[n].size = (uint64_t)st.st_size;
		*total += (*all)[n++].size;
	}
	if (n)
		qsort(*all, n, sizeof **all, older);
	return n;
}

int
shelf_sweep(int dir, const char *name, uint64_t max)
{
	char folder[3] = { name[0], name[1], 0 };
	int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	int64_t now = time(NULL);
	struct entry *all;
	uint64_t total;
	DIR *d;
	size_t n;

	if (fd < 0)
		return -1;
	if (!(d = fdopendir(fd))) {
		close(fd);
		return -1;
	}
	n = list(d, &all, &total);
	for (size_t i = 0; i < n; i++) {
		bool left = strncmp(all[i].name, "tmp.", 4) == 0;

		if (left ? all[i].at > now - LEFT_S : total <= max)
			continue;
		if (unlinkat(fd, all[i].name, 0) < 0 && errno != ENOENT)
			r = -1;
		total -= all[i].size;
	}
	free(all);
	closedir(d);
	return r;
}
