#include "feed_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "err.h"

enum { WINDOW_MIN = 4, WINDOW_START = 64, RATE_MS = 200 };
#define BYTES_MAX ((size_t)64 << 20)    /* of lines held, unless it is a single one */

struct feed *
feed_open(const struct feed_opts *o)
{
	struct feed *f = mem_zalloc(sizeof(*f));
	uint32_t session;

	f->o = *o;
	if (!f->o.window)
		f->o.window = 500;
	if (!f->o.least)
		f->o.least = WINDOW_MIN;
	if (!f->o.deadline_ms)
		f->o.deadline_ms = 300000;
	if (!f->o.grace_ms)
		f->o.grace_ms = 30000;
	if (!f->o.max)
		f->o.max = RECORD_MAX + 4096;
	f->filter = (struct filter)FILTER_INIT;
	f->verdict = -1;
	f->window = f->o.least > WINDOW_START ? f->o.least : WINDOW_START;
	if (f->window > f->o.window)
		f->window = f->o.window;
	if (getrandom(&session, sizeof(session), 0) != sizeof(session))
		die_sys(XTEMP, "getrandom");
	snprintf(f->session, sizeof(f->session), "\"%08" PRIx32 "-", session);
	feed_signals();
	return f;
}

int
feed_stopping(const struct feed *f)
{
	return f->stopping;
}

int
feed_full(const struct feed *f)
{
	return f->bytes >= BYTES_MAX;
}

void
feed_free(struct feed *f)
{
	slots_release(f);
	rec_free(&f->rec);
	buf_free(&f->answers.b);
	buf_free(&f->hints.b);
	buf_free(&f->err);
	buf_free(&f->err_line);
	buf_free(&f->line);
	buf_free(&f->text);
	buf_free(&f->times);
	buf_free(&f->death_err);
	free(f);
}

/* One put from guilty has ended a filter before: it goes alone, in its old place. */
static void
queue(struct feed *f, struct slot *s)
{
	if (!f->in_take)
		die(XBUG, "feed_put outside take, tick and guilty");
	if (f->in_guilty)
		slot_first(f, s);
	else
		slot_move(f, s, AT_QUEUE);
}

void
feed_put(struct feed *f, uint64_t tag, const char *line, size_t len)
{
	queue(f, slot_new(f, tag, line, len));
}

void
feed_put_edited(struct feed *f, uint64_t tag, const struct rec *r, const struct rec_change *c, size_t n)
{
	queue(f, slot_edited(f, tag, r, c, n));
}

static size_t
held(const struct feed *f)
{
	return f->queue.n + f->sent.n + f->suspects.n;
}

bool
feed_may_take(const struct feed *f)
{
	return !f->stopping && !f->source_done && f->mode == M_FEEDING && !f->suspects.n && !f->alone &&
	    held(f) < f->window && !(held(f) && feed_full(f));
}

void
feed_take(struct feed *f)
{
	int r;

	if (!feed_may_take(f))
		return;
	f->in_take = true;
	r = f->src->take(f->src->ctx, f, f->window - held(f));
	f->in_take = false;
	feed_check(f, r);
	f->source_done |= r == 1;
}

/* The window is what the filter answers in about a second: twice as much when
 * it was answered sooner than that is known. */
void
feed_adapt(struct feed *f)
{
	int64_t ms = f->now - f->rate_at;
	size_t rate, least = f->o.window < f->o.least ? f->o.window : f->o.least;

	if (ms < RATE_MS && f->answered_now < f->window)
		return;
	rate = ms < RATE_MS ? 2 * f->window : f->answered_now * 1000 / (size_t)ms;
	if (f->mode == M_FEEDING && (f->answered_now || f->sent.n)) {
		f->window = rate > f->window / 2 ? rate : f->window / 2;
		if (f->window < least)
			f->window = least;
		if (f->window > f->o.window)
			f->window = f->o.window;
	}
	f->answered_now = 0;
	f->rate_at = f->now;
}

static void
open_metrics(struct feed *f)
{
	f->m.fed = metrics_value("fed_total");
	f->m.answered = metrics_value("answered_total");
	f->m.guilty = metrics_value("guilty_total");
	f->m.deaths = metrics_value("deaths_total");
	f->m.stray = metrics_value("stray_total");
	f->m.in_flight = metrics_value("in_flight");
	f->m.window = metrics_value("window");
	f->m.answer = metrics_hist("answer_seconds", "");
}

int
feed_group(const struct feed *f)
{
	return f->mode == M_STOPPED || f->filter.ended ? 0 : f->filter.pid;
}

size_t
feed_inside(const struct feed *f, size_t *given)
{
	*given = f->given + (f->mode == M_FEEDING);
	return f->mode == M_FEEDING ? f->sent.n : 0;
}

int
feed_only(const struct feed *f, uint64_t *tag)
{
	if (f->mode != M_FEEDING || f->sent.n != 1)
		return -1;
	*tag = f->sent.head->tag;
	return 0;
}

int
feed_run_many(struct feed **f, const struct feed_source *src, size_t n, char **argv)
{
	uint64_t strays = 0, killed = 0;
	int code;

	for (size_t i = 0; i < n; i++) {
		open_metrics(f[i]);
		f[i]->src = &src[i];
		f[i]->argv = argv;
	}
	code = argv ? feed_loop(f, n) : feed_print(f[0]);
	for (size_t i = 0; i < n; i++) {
		if (src[i].finish)
			src[i].finish(src[i].ctx);
		strays += f[i]->stray;
		killed += f[i]->killed;
	}
	info("done: exit=%d stray=%" PRIu64 " deaths=%" PRIu64, code, strays, killed);
	return code;
}

int
feed_run(struct feed *f, const struct feed_source *src, char **argv)
{
	return feed_run_many(&f, src, 1, argv);
}
