#include "pour.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
pour_reopen(int fd, int mode)
{
	char path[32];
	struct stat st;
	int again = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		again = open(path, mode | O_NONBLOCK | O_CLOEXEC);
	if (again < 0)
		return fd;
	close(fd);      /* the other side sees our end when we close ours */
	return again;
}

void
pour_open(struct pour *p, int fd)
{
	*p = (struct pour){ .fd = pour_reopen(fd, O_WRONLY) };
}

int
pour_some(struct pour *p)
{
	int r = 0;

	while (p->at < p->b.len) {
		ssize_t n = write(p->fd, p->b.p + p->at, p->b.len - p->at);

		if (n >= 0) {
			p->at += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		r = errno == EAGAIN ? 0 : -1;
		break;
	}
	if (p->at > p->b.len / 2) {     /* so that no byte moves more than once */
		buf_shift(&p->b, p->at);
		p->at = 0;
	}
	return r;
}

int
pour_all(struct pour *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLOUT };

	while (p->b.len) {
		if (pour_some(p) < 0)
			return -1;
		if (p->b.len && poll(&fd, 1, -1) < 0 && errno != EINTR)
			return -1;
	}
	return 0;
}
