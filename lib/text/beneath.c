#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text/beneath.h"

enum { FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

/* For kernels and sandboxes without openat2: one name at a time, and then no
 * symbolic link at all. */
static int
walk(int dir, const char *rel)
{
	int at = dir, next = -1;

	for (;;) {
		char name[NAME_MAX + 1];
		size_t n;
		bool last;

		rel += strspn(rel, "/");
		n = strcspn(rel, "/");
		last = rel[n + strspn(rel + n, "/")] == 0;
		if (!n || n > NAME_MAX || (n == 2 && memcmp(rel, "..", 2) == 0)) {
			errno = n > NAME_MAX ? ENAMETOOLONG : EXDEV;
			next = -1;
		} else {
			memcpy(name, rel, n);
			name[n] = 0;
			next = openat(at, name, O_NOFOLLOW | (last ? FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
			if (next < 0 && errno == ELOOP)
				errno = EXDEV;
		}
		if (at != dir) {
			int e = errno;

			close(at);
			errno = e;
		}
		if (next < 0 || last)
			return next;
		at = next;
		rel += n;
	}
}

static int
open_in(int dir, const char *rel)
{
	struct open_how how = {
		.flags = FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir, rel, &how, sizeof how);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return walk(dir, rel);
	if (fd < 0 && errno == ELOOP)
		errno = EXDEV;
	return fd;
}

static int
open_regular(int dir, const char *rel)
{
	int fd = open_in(dir, rel), e;
	struct stat st;

	if (fd < 0) {
		if (errno == ENXIO)     /* a socket */
			errno = EISDIR;
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	e = S_ISREG(st.st_mode) ? errno : EISDIR;
	close(fd);
	errno = e;
	return -1;
}

/* The path below a root, or NULL: the root's letters do not begin it. */
static const char *
below(const char *root, const char *path)
{
	size_t n = strlen(root);

	if (*path != '/')
		return path;
	while (n > 1 && root[n - 1] == '/')
		n--;
	if (strncmp(path, root, n) != 0 || (n > 1 && path[n] != '/'))
		return NULL;
	path += n;
	path += strspn(path, "/");
	return *path ? path : NULL;
}

int
beneath_open(const char *roots, const char *path, size_t len)
{
	char root[PATH_MAX], rel[PATH_MAX];
	int err = EXDEV, tried = 0;

	if (!len || len >= sizeof rel || memchr(path, 0, len)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(rel, path, len);
	rel[len] = 0;
	for (size_t n; *roots; roots += n + (roots[n] == ':')) {
		const char *in;
		int dir, fd;

		n = strcspn(roots, ":");
		if (!n || n >= sizeof root)
			continue;
		memcpy(root, roots, n);
		root[n] = 0;
		if (!(in = below(root, rel)))
			continue;
		if ((dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
			err = errno;
			continue;
		}
		fd = open_regular(dir, in);
		/* Of several roots' answers the one that says more. */
		if (fd < 0 && (!tried++ || errno != ENOENT))
			err = errno;
		close(dir);
		if (fd >= 0)
			return fd;
	}
	errno = err;
	return -1;
}
