#include "api/wires.h"

#include <sys/epoll.h>

#include "api/api.h"
#include "err.h"
#include "loop.h"
#include "now.h"

enum { HITS_MAX = 100 };        /* searches that wait: some seconds' worth */

static void ready(struct loop_io *io, uint32_t events);
static void due(struct loop_timer *t);

static struct end {
	struct loop_io io;      /* first: ready() gets it */
	struct wire *w;
	bool told;              /* of this outage */
} ends[WIRES_N] = { { .io = { .fd = -1, .ready = ready } }, { .io = { .fd = -1, .ready = ready } } };

static const char *const names[WIRES_N] = { "intake", "search" };
static struct loop_timer timer = { .due = due };
static bool answered;

static void
on_answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	struct asking *a = (struct asking *)(uintptr_t)tag;

	(void)ctx;
	answered = true;
	a->answer(a, line, len);
}

static void
tell(int i)
{
	struct end *e = &ends[i];
	bool away = wire_state(e->w) == WIRE_AWAY;

	if (away && !e->told)
		warn("no %s for now: %s", names[i], wire_why(e->w));
	if (away)
		e->told = true;
	if (wire_state(e->w) != WIRE_READY)
		return;
	if (e->told)
		info("the %s is back", names[i]);
	e->told = false;
}

static void
turn(void)
{
	int64_t now = now_ms();
	int wait_ms = 1000, w;

	for (int i = 0; i < WIRES_N; i++) {
		if (!ends[i].w)
			continue;
		wire_turn(ends[i].w, now);
		tell(i);
		w = wire_wait_ms(ends[i].w, now);
		if (w >= 0 && w < wait_ms)
			wait_ms = w;
	}
	if (answered) {
		answered = false;
		submit_room();
	}
	loop_in(&timer, wait_ms);
}

static void
ready(struct loop_io *io, uint32_t events)
{
	(void)io, (void)events;
	turn();
}

static void
due(struct loop_timer *t)
{
	(void)t;
	turn();
}

void
wires_start(void)
{
	const char *path[WIRES_N] = { api.intake, api.hits };

	for (int i = 0; i < WIRES_N; i++) {
		struct wire_opts o = { .path = path[i], .answer = on_answer, .lines_max = i == WIRES_HITS ? HITS_MAX : 0 };

		if (!path[i])
			continue;
		ends[i].w = wire_open(&o);
		if (!ends[i].w)
			die_sys(XTEMP, "the socket of the %s", names[i]);
		loop_on(&ends[i].io, wire_fd(ends[i].w), EPOLLIN);
	}
	if (api.intake || api.hits)
		loop_in(&timer, 0);
}

enum wire_sent
wires_send(enum wires_which which, const char *line, size_t len, struct asking *a)
{
	enum wire_sent sent = ends[which].w ? wire_send(ends[which].w, line, len, (uint64_t)(uintptr_t)a) : WIRE_NOT_THERE;

	if (sent == WIRE_SENT)
		loop_in(&timer, 0);
	return sent;
}

bool
wires_ready(enum wires_which which)
{
	return ends[which].w && wire_state(ends[which].w) == WIRE_READY;
}

const char *
wires_why(enum wires_which which)
{
	return ends[which].w ? wire_why(ends[which].w) : "no socket was named";
}
