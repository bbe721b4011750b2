#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "err.h"
#include "now.h"

enum { EVENTS = 256 };

static int epfd = -1;
static struct loop_timer *timers;
/* What this turn has still to call, so that loop_off takes it out. */
static struct epoll_event got[EVENTS];
static int got_n;

void
loop_open(void)
{
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die_sys(XTEMP, "epoll");
}

void
loop_on(struct loop_io *io, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = io };
	bool there = io->fd == fd;

	if (there && io->events == events)
		return;
	if (io->fd >= 0 && !there)
		loop_off(io);
	if (epoll_ctl(epfd, there ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) < 0)
		die_sys(XTEMP, "epoll");
	io->fd = fd;
	io->events = events;
}

void
loop_off(struct loop_io *io)
{
	if (io->fd < 0)
		return;
	epoll_ctl(epfd, EPOLL_CTL_DEL, io->fd, NULL);
	io->fd = -1;
	for (int i = 0; i < got_n; i++)
		if (got[i].data.ptr == io)
			got[i].data.ptr = NULL;
}

void
loop_in(struct loop_timer *t, int64_t wait_ms)
{
	t->at = now_ms() + wait_ms;
	if (t->known)
		return;
	t->known = true;
	t->next = timers;
	timers = t;
}

/* There are a handful. */
static int
until_due(int wait_ms, int64_t now)
{
	for (const struct loop_timer *t = timers; t; t = t->next)
		if (t->at && (wait_ms < 0 || t->at - now < wait_ms))
			wait_ms = t->at > now ? (int)(t->at - now) : 0;
	return wait_ms;
}

bool
loop_turn(int wait_ms)
{
	int64_t now = timers ? now_ms() : 0;
	bool some;

	got_n = epoll_wait(epfd, got, EVENTS, until_due(wait_ms, now));
	if (got_n < 0 && errno != EINTR)
		die_sys(XTEMP, "epoll");
	some = got_n > 0;
	for (int i = 0; i < got_n; i++) {
		struct loop_io *io = got[i].data.ptr;

		if (io)
			io->ready(io, got[i].events);
	}
	got_n = 0;
	now = timers ? now_ms() : 0;
	for (struct loop_timer *t = timers; t; t = t->next)
		if (t->at && t->at <= now) {
			t->at = 0;
			some = true;
			t->due(t);
		}
	return some;
}
