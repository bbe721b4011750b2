#include "flow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "arg.h"
#include "err.h"

enum {
	HELD_MAX = 64 << 20,    /* bytes of lines */
	KEPT = 64 << 10         /* bytes that a buffer keeps for the next record: there are a thousand of them */
};

static void
empty(struct buf *b)
{
	if (b->cap > KEPT)
		buf_free(b);
	b->len = 0;
}

void
flow_pass(struct flow_item *it)
{
	it->state = FLOW_PASSED;
}

void
flow_edit(struct flow_item *it, const struct rec_change *c, size_t n)
{
	it->out.len = 0;
	rec_edit(&it->out, &it->rec, c, n);
	it->state = FLOW_EDITED;
}

void
flow_error(struct flow_item *it, const char *code, bool retry, unsigned long after_ms, const char *fmt, ...)
{
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	snprintf(it->code, sizeof it->code, "%s", code);
	it->why.len = 0;
	buf_adds(&it->why, message);
	buf_str(&it->why);
	it->retry = retry;
	it->after_ms = after_ms;
	it->state = FLOW_FAILED;
}

void
flow_fault(struct flow_item *it, const struct http_result *r, const char *what)
{
	flow_error(it, r->code, r->retry, r->after_ms, "%s: %s", what, r->message);
}

bool
flow_late(const struct flow_item *it, unsigned long attempt)
{
	uint64_t n;

	return attempt && rec_u64(rec_get(&it->rec, "attempt"), &n) == 0 && n >= attempt;
}

static void
take(struct flow *fl)
{
	struct flow_item **at = &fl->ring[(fl->first + fl->n) % fl->most], *it = *at;
	const struct rec *r = &fl->s->rec;

	if (!it) {
		it = *at = mem_zalloc(sizeof *it);
		it->own = mem_zalloc(fl->own ? fl->own : 1);
	}
	buf_add(&it->line, r->p, r->len);
	if (rec_parse(&it->rec, it->line.p, it->line.len) != REC_OK)
		die(XBUG, "a held record no longer parses");
	it->state = FLOW_OPEN;
	it->from_us = stage_clock(fl->s);
	fl->n++;
	fl->bytes += it->line.len;
	if (rec_get(&it->rec, "error") || rec_get(&it->rec, "wait") || rec_get(&it->rec, "chunk"))
		flow_pass(it);
	else
		fl->begin(fl, it);
}

/* The error, in the record as it was changed or, where that is too long, as it came. */
static void
give_failed(struct stage *s, const struct flow_item *it)
{
	static struct rec edited = REC_INIT;
	const struct rec *r = &s->rec;

	if (it->out.len && it->out.len <= s->in.max && rec_parse(&edited, it->out.p, it->out.len) == REC_OK)
		r = &edited;
	stage_error_rec(s, r, it->code, it->retry, it->after_ms, it->why.p);
}

static void
give(struct flow *fl, struct flow_item *it)
{
	struct stage *s = fl->s;

	/* It parsed when it came; the stage's current record becomes this one. */
	if (rec_parse(&s->rec, it->line.p, it->line.len) != REC_OK)
		die(XBUG, "a held record no longer parses");
	stage_took(s, stage_clock(s) - it->from_us);
	switch (it->state) {
	case FLOW_OPEN: die(XBUG, "an unanswered record was given out");
	case FLOW_PASSED: stage_pass(s); break;
	case FLOW_EDITED: stage_emit(s, it->out.p, it->out.len); break;
	case FLOW_FAILED: give_failed(s, it); break;
	}
	fl->bytes -= it->line.len;
	empty(&it->line);
	empty(&it->out);
}

static void
give_answered(struct flow *fl)
{
	for (; fl->n && fl->ring[fl->first]->state != FLOW_OPEN; fl->n--) {
		give(fl, fl->ring[fl->first]);
		fl->first = (fl->first + 1) % fl->most;
	}
}

static void
await(struct flow *fl, int fd)
{
	stage_flush(fl->s);
	if (fetch_wait(fl->f, fd) < 0)
		die_sys(XTEMP, "wait for servers");
}

void
flow_room(struct flow *fl, size_t most)
{
	while (fetch_work(fl->f) > most) {
		give_answered(fl);
		await(fl, -1);
	}
}

static bool
room(const struct flow *fl)
{
	return !fl->ended && fl->n < fl->most && fl->bytes < HELD_MAX;
}

void
flow_open(struct flow *fl, struct fetch_opts *o)
{
	o->allow = arg_env("SLUICE_HTTP_ALLOW", NULL);
	o->rate = arg_env("SLUICE_RATE", NULL);
	fl->f = fetch_open(o);
	if (fl->f)
		return;
	if (errno == EINVAL)
		die(XPERM, "SLUICE_HTTP_ALLOW: not a list of networks such as 10.0.0.0/8,fd00::/8");
	if (errno == ERANGE)
		die(XPERM, "SLUICE_RATE: not a list of rates such as '5 api.example.org=10'");
	if (errno != ENOMEM)
		die_sys(errno == ENOENT || errno == ENOTDIR || errno == EACCES ? XPERM : XTEMP, "SLUICE_HTTP_CACHE: %s", o->cache);
	die_sys(XTEMP, "start libcurl");
}

static void
say(const struct fetch_totals *t)
{
	info("requests: sent=%" PRIu64 " redirected=%" PRIu64 " put_off=%" PRIu64 " kept=%" PRIu64 " fresh=%" PRIu64
	    " unchanged=%" PRIu64, t->sent, t->redirected, t->put_off, t->kept, t->fresh, t->unchanged);
	if (t->cache_faults)
		warn("the cache could not be read or written: times=%" PRIu64, t->cache_faults);
}

int
flow_run(struct flow *fl)
{
	fl->most = fl->most ? fl->most : 1024;
	fl->ring = mem_array(NULL, fl->most, sizeof(struct flow_item *));
	for (size_t i = 0; i < fl->most; i++)
		fl->ring[i] = NULL;
	/* Lines with error or wait are held too: they keep their place. */
	fl->s->settles = fl->s->hint.by_hand = true;
	for (;;) {
		size_t open;
		int got;

		while (room(fl) && (got = stage_try(fl->s)) >= 0) {
			if (got)
				take(fl);
			else
				fl->ended = true;
		}
		open = fetch_work(fl->f);
		give_answered(fl);
		if (fl->ended && !fl->n) {
			say(fetch_totals(fl->f));
			return stage_end(fl->s);
		}
		if (fl->n && !open)
			die(XBUG, "a record waits for nothing");
		if (room(fl) && in_buffered(&fl->s->in))
			continue;
		await(fl, room(fl) ? fl->s->in.fd : -1);
	}
}
