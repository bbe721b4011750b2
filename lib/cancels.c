#include "cancels.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOB_MAX = 1024 };

void
cancels_open(struct cancels *c, const char *path)
{
	*c = (struct cancels){ .fd = -1 };
	if (path)
		buf_adds(&c->path, path);
	buf_str(&c->path);
}

int
cancels_share(struct cancels *c)
{
	char path[64];
	int fd = memfd_create("cancels", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fd);
	if (setenv("SLUICE_CANCELS", path, 1) < 0)
		return -1;
	cancels_open(c, path);
	return 0;
}

/* "\nJOB ATTEMPT\n" */
static void
entry(struct buf *b, const char *job, size_t len, uint64_t attempt)
{
	b->len = 0;
	buf_addc(b, '\n');
	buf_add(b, job, len);
	buf_addf(b, " %" PRIu64 "\n", attempt);
}

static int
open_file(struct cancels *c, int flags)
{
	if (c->fd < 0)
		c->fd = open(c->path.p, flags | O_CLOEXEC, 0600);
	return c->fd < 0 ? -1 : 0;
}

int
cancels_add(struct cancels *c, const char *job, size_t len, uint64_t attempt)
{
	static struct buf b;
	ssize_t wrote;

	if (!c->path.len || len > JOB_MAX || memchr(job, '\n', len)) {
		errno = EINVAL;
		return -1;
	}
	if (open_file(c, O_RDWR | O_CREAT | O_APPEND) < 0)
		return -1;
	entry(&b, job, len, attempt);
	wrote = write(c->fd, b.p + 1, b.len - 1);
	if (wrote >= 0 && (size_t)wrote != b.len - 1)
		errno = ENOSPC;
	return wrote >= 0 && (size_t)wrote == b.len - 1 ? 0 : -1;
}

int
cancels_look(struct cancels *c)
{
	struct stat st;
	ssize_t n;

	if (!c->path.len)
		return 0;
	if (open_file(c, O_RDONLY) < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(c->fd, &st) < 0)
		return -1;
	if (st.st_size <= c->seen)
		return 0;
	if (!c->lines.len)
		buf_addc(&c->lines, '\n');
	n = pread(c->fd, buf_room(&c->lines, (size_t)(st.st_size - c->seen)), (size_t)(st.st_size - c->seen), c->seen);
	if (n < 0)
		return -1;
	c->lines.len += (size_t)n;
	c->seen += n;
	return n > 0;
}

bool
cancels_has(const struct cancels *c, const char *job, size_t len, uint64_t attempt)
{
	static struct buf b;

	if (!c->lines.len || !len)
		return false;
	entry(&b, job, len, attempt);
	return memmem(c->lines.p, c->lines.len, b.p, b.len);
}

void
cancels_release(struct cancels *c)
{
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->path);
	buf_free(&c->lines);
	c->fd = -1;
}
