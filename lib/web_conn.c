/* web_conn.c - connections, and how long each may take. A client that sends a byte
 * now and then is never idle for libmicrohttpd, so their whole time is bounded here. */
#include "web_int.h"

#include <math.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "now.h"

enum { PRESSED_S = 1 };

static struct web_conn *conns;
static unsigned fresh;

struct web_conn *
web_conn_of(struct MHD_Connection *con)
{
	return MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* A stream's reader hung up: libmicrohttpd does not look at connections that are
 * suspended. Its next read or write finds out. */
static void
hung_up(struct loop_io *io, uint32_t events)
{
	struct web_conn *c = (struct web_conn *)io;

	(void)events;
	loop_off(io);
	if (c->stream)
		web_end(c->stream);
}

void
web_conns_notify(void *cls, struct MHD_Connection *con, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	struct web_counts *n = cls;
	struct web_conn *c = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*ctx = c = mem_zalloc(sizeof(*c));
		c->gone.fd = -1;
		c->gone.ready = hung_up;
		c->fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->since = now_ms();
		c->next = conns;
		c->at = &conns;
		if (conns)
			conns->at = &c->next;
		conns = c;
		n->connections++;
		fresh++;
	} else if (c) {
		loop_off(&c->gone);
		fresh -= c->phase == PHASE_FIRST;
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
		free(c);
		*ctx = NULL;
		n->connections--;
	}
}

void
web_conn_phase(struct web_conn *c, enum web_phase phase)
{
	fresh -= c->phase == PHASE_FIRST;
	fresh += phase == PHASE_FIRST;
	c->phase = phase;
	c->since = now_ms();
	if (phase == PHASE_STREAM)
		loop_on(&c->gone, c->fd, EPOLLRDHUP);
	else
		loop_off(&c->gone);
}

unsigned
web_conns_fresh(void)
{
	return fresh;
}

/* What a phase may take. To find an answer is ours. */
static double
bound(const struct web_conn *c, const struct web_times *t, bool pressed)
{
	switch (c->phase) {
	case PHASE_FIRST: return pressed ? fmin(PRESSED_S, t->first) : t->first;
	case PHASE_IDLE: return pressed ? fmin(PRESSED_S, t->idle) : t->idle;
	case PHASE_BODY: return pressed ? fmin(PRESSED_S * 10, t->body) : t->body;
	case PHASE_ANSWER: return pressed ? fmin(PRESSED_S * 10, t->answer) : t->answer;
	case PHASE_STREAM: return c->stream && web_behind(c->stream) ? t->take : INFINITY;
	case PHASE_WAIT: break;
	}
	return INFINITY;
}

void
web_conns_reap(const struct web_opts *o, struct web_counts *n)
{
	bool pressed = n->connections > o->connections - o->connections / 10;
	int64_t now = now_ms();

	for (struct web_conn *c = conns; c; c = c->next)
		if ((double)(now - c->since) > bound(c, &o->times, pressed) * 1000) {
			c->since = now;
			n->reaped++;
			shutdown(c->fd, SHUT_RDWR);
		}
}

void
web_conns_end(void (*now)(struct web_req *r))
{
	for (struct web_conn *c = conns; c; c = c->next)
		if (c->stream)
			web_end(c->stream);
		else if (c->req && c->req->suspended)
			now(c->req);
}

bool
web_conns_busy(void)
{
	for (const struct web_conn *c = conns; c; c = c->next)
		if (c->req)
			return true;
	return false;
}
