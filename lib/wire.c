#include "wire_int.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "now.h"

enum { PAUSE_MAX_MS = 2000, TURN_MS = 1000 };

struct wire *
wire_open(const struct wire_opts *o)
{
	struct wire *w = mem_zalloc(sizeof(*w));

	w->o = *o;
	w->o.lines_max = o->lines_max ? o->lines_max : 1000;
	w->o.bytes_max = o->bytes_max ? o->bytes_max : (size_t)64 << 20;
	w->o.line_max = o->line_max ? o->line_max : RECORD_MAX + (64 << 10);
	w->o.deadline_ms = o->deadline_ms ? o->deadline_ms : 30000;
	w->o.idle_ms = o->idle_ms ? o->idle_ms : 5000;
	w->fd = -1;
	w->pause_ms = WIRE_PAUSE_MS;
	snprintf(w->why, sizeof(w->why), "not connected yet");
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll >= 0)
		return w;
	free(w);
	return NULL;
}

/* The oldest that waits goes. */
struct wire_line
wire_first(struct wire *w)
{
	struct wire_line one = w->w[w->first];

	w->first = (w->first + 1) % w->cap;
	w->n--;
	return one;
}

static void
disconnect(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);   /* leaves the epoll by that */
	w->fd = -1;
	w->state = WIRE_AWAY;
	w->out.len = w->out_at = 0;
	w->more = false;
	buf_free(&w->in.b);
	while (w->n) {
		struct wire_line one = wire_first(w);

		if (!one.probe)
			w->o.answer(w->o.ctx, one.tag, NULL, 0);
	}
}

static void
lose(struct wire *w, int64_t now, const char *why)
{
	snprintf(w->why, sizeof(w->why), "%s", why);
	w->retry_at = now + w->pause_ms;
	w->pause_ms = w->pause_ms * 2 < PAUSE_MAX_MS ? w->pause_ms * 2 : PAUSE_MAX_MS;
	disconnect(w);
}

void
wire_close(struct wire *w)
{
	if (!w)
		return;
	disconnect(w);
	close(w->epoll);
	buf_free(&w->out);
	free(w->w);
	free(w);
}

/* Queues a line that waits for its answer from now on. */
static void
queue(struct wire *w, const char *line, size_t len, uint64_t tag, bool is_probe, int64_t now)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 64;
		struct wire_line *ring = mem_array(NULL, cap, sizeof(*ring));

		for (size_t i = 0; i < w->n; i++)
			ring[i] = w->w[(w->first + i) % w->cap];
		free(w->w);
		w->w = ring;
		w->cap = cap;
		w->first = 0;
	}
	w->w[(w->first + w->n++) % w->cap] = (struct wire_line){ tag, now, is_probe };
	if (w->out_at > w->out.len / 2) {
		buf_shift(&w->out, w->out_at);
		w->out_at = 0;
	}
	buf_add(&w->out, line, len);
	buf_addc(&w->out, '\n');
	w->last_at = now;
}

enum wire_sent
wire_send(struct wire *w, const char *line, size_t len, uint64_t tag)
{
	size_t unsent = w->out.len - w->out_at;

	if (len > w->o.line_max)
		return WIRE_TOO_LONG;
	if (w->state == WIRE_AWAY)
		return WIRE_NOT_THERE;
	if (w->n >= w->o.lines_max || (unsent && unsent + len > w->o.bytes_max))
		return WIRE_FULL;
	queue(w, line, len, tag, false, now_ms());
	if (!unsent)
		(void)wire_write(w);    /* an error shows again with the next turn */
	wire_watch(w);
	return WIRE_SENT;
}

static const char *
too_late(const struct wire *w, int64_t now)
{
	return w->n && now - w->w[w->first].at >= (int64_t)w->o.deadline_ms ? "no answer in time" : NULL;
}

static void
begin(struct wire *w, int64_t now)
{
	const char *why = wire_connect(w);

	if (why) {
		char text[sizeof(w->why)];

		snprintf(text, sizeof(text), "connect: %s", why);
		lose(w, now, text);
		return;
	}
	w->state = WIRE_ASKING;
	snprintf(w->why, sizeof(w->why), "the filter starts");
	queue(w, WIRE_PROBE, WIRE_PROBE_LEN, 0, true, now);
}

void
wire_turn(struct wire *w, int64_t now)
{
	const char *why;
	int error;

	if (w->fd < 0 && now >= w->retry_at)
		begin(w, now);
	if (w->fd < 0)
		return;
	why = wire_read(w);
	if (!why)
		why = too_late(w, now);
	if (!why && w->state == WIRE_READY && !w->n && now - w->last_at >= (int64_t)w->o.idle_ms)
		queue(w, WIRE_PROBE, WIRE_PROBE_LEN, 0, true, now);
	if (!why && (error = wire_write(w)))
		why = strerror(error);
	if (why)
		lose(w, now, why);
	wire_watch(w);
}

int
wire_fd(const struct wire *w)
{
	return w->epoll;
}

int
wire_wait_ms(const struct wire *w, int64_t now)
{
	int64_t at = now + TURN_MS;

	if (w->more)
		return 0;
	if (w->fd < 0)
		at = w->retry_at;
	else if (w->n)
		at = w->w[w->first].at + (int64_t)w->o.deadline_ms;
	else if (w->state == WIRE_READY)
		at = w->last_at + (int64_t)w->o.idle_ms;
	if (at > now + TURN_MS)
		at = now + TURN_MS;
	return at > now ? (int)(at - now) : 0;
}

enum wire_state
wire_state(const struct wire *w)
{
	return w->state;
}

const char *
wire_why(const struct wire *w)
{
	return w->why;
}

size_t
wire_waiting(const struct wire *w)
{
	return w->n;
}
