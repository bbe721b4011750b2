#include "wire_int.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINES_A_TURN = 256, KEEP = 1 << 20 };

const char *
wire_connect(struct wire *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(w->o.path) >= sizeof(a.sun_path))
		return "the socket's path is too long";
	memcpy(a.sun_path, w->o.path, strlen(w->o.path));
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* EAGAIN: more wait there than may. Unix sockets are never in progress. */
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return errno == EAGAIN ? "too many wait there already" : strerror(errno);
	w->in = (struct in)IN_INIT(w->fd, w->o.line_max, NULL);
	w->events = 0;
	return NULL;
}

void
wire_watch(struct wire *w)
{
	struct epoll_event e = { .events = EPOLLIN | (w->out_at < w->out.len ? EPOLLOUT : 0) };

	if (w->fd >= 0 && e.events != w->events && epoll_ctl(w->epoll, w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &e) == 0)
		w->events = e.events;
}

int
wire_write(struct wire *w)
{
	while (w->out_at < w->out.len) {
		ssize_t n = send(w->fd, w->out.p + w->out_at, w->out.len - w->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == ENOBUFS ? 0 : errno;
		w->out_at += (size_t)n;
	}
	w->out.len = w->out_at = 0;
	if (w->out.cap > KEEP)
		buf_free(&w->out);
	return 0;
}

/* One answer; NULL, or why the connection is no good. */
static const char *
on_line(struct wire *w, const char *line, size_t len)
{
	struct wire_line one;

	if (!w->n)
		return "it answers what nobody asked";
	if (len < 2 || line[0] != '{' || line[len - 1] != '}')
		return "its answer is no JSON object";
	if (w->w[w->first].probe && (len != WIRE_PROBE_LEN || memcmp(line, WIRE_PROBE, len) != 0))
		return "it does not answer a probe";
	one = wire_first(w);
	if (!one.probe) {
		w->o.answer(w->o.ctx, one.tag, line, len);
		return NULL;
	}
	w->state = WIRE_READY;
	w->why[0] = '\0';
	w->pause_ms = WIRE_PAUSE_MS;
	return NULL;
}

const char *
wire_read(struct wire *w)
{
	const char *line, *why;
	size_t len;

	w->more = false;
	for (int i = 0; i < LINES_A_TURN; i++)
		switch (in_rec(&w->in, &line, &len)) {
		case IN_REC:
			if ((why = on_line(w, line, len)))
				return why;
			break;
		case IN_LONG: return "its answer is too long";
		case IN_EOF:
		case IN_TORN: return "it ended the connection";
		case IN_ERR:
		case IN_WERR: return errno == EAGAIN ? NULL : strerror(errno);
		}
	w->more = true;
	return NULL;
}
