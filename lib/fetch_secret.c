#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_MAX = 4096 };

int
fetch_secret(const char *path, struct buf *out)
{
	size_t from = out->len, len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf_room(out, SECRET_MAX), SECRET_MAX);
	close(fd);
	if (n < 0)
		return -1;
	for (len = 0; len < (size_t)n && out->p[from + len] > ' ' && out->p[from + len] < 0x7f; len++)
		;
	if (!len || len == SECRET_MAX || (len < (size_t)n && out->p[from + len] != '\n' && out->p[from + len] != '\r')) {
		errno = EINVAL;
		return -1;
	}
	out->len += len;
	buf_str(out);
	return 0;
}
