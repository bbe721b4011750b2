/* streams.c - who listens: to one job, or to all of a tenant. */
#include "api/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "loop.h"

enum { BUCKETS = 16384, ALIVE_S = 15, REST_MS = 20 };

static struct stream *buckets[BUCKETS], *all;
static struct stream *upcoming;         /* where a walk through them goes on: what it calls may release any */
static unsigned long count;
static void rested(struct loop_timer *t);
static struct loop_timer rest = { .due = rested };

void
stream_link_in(struct stream *s)
{
	struct stream **list = s->no ? &buckets[(uint64_t)s->no % BUCKETS] : &all;

	s->next = *list;
	s->at = list;
	if (s->next)
		s->next->at = &s->next;
	*list = s;
	count++;
}

void
stream_release(struct stream *s)
{
	if (s == upcoming)
		upcoming = s->next;
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	count--;
	free(s->tenant);
	free(s->pipeline);
	free(s->status);
	free(s->job_id);
	free(s->name);
	free(s);
}

/* Its reader has gone; while a call for it is on its way, that frees it. */
static void
on_gone(void *ctx)
{
	struct stream *s = ctx;

	s->w = NULL;
	s->gone = true;
	if (!s->loading)
		stream_release(s);
}

bool
streams_any(void)
{
	return count > 0;
}

static void
frame(struct stream *s, const struct event *e)
{
	static struct buf b;

	b.len = 0;
	if (s->no)
		buf_addf(&b, "id: %d.%d\nevent: ", e->n, e->k);
	else
		buf_addf(&b, "id: %lld\nevent: ", (long long)e->id);
	buf_adds(&b, e->name);
	buf_adds(&b, "\ndata: ");
	for (const char *p = e->data; *p; p++)
		buf_addc(&b, *p == '\r' || *p == '\n' ? ' ' : *p);
	buf_adds(&b, "\n\n");
	web_send(s->w, b.p, b.len);
}

static bool
wanted(const struct stream *s, const struct event *e)
{
	return (!s->tenant || !strcmp(s->tenant, e->tenant)) && (!s->pipeline || !strcmp(s->pipeline, e->pipeline)) &&
	    (!s->status || !strcmp(s->status, e->status)) && (!s->job_id || !strcmp(s->job_id, e->job_id)) &&
	    (!s->name || !strcmp(s->name, e->name));
}

static void
give_job(struct stream *s, const struct event *e)
{
	if (e->n < s->n || (e->n == s->n && e->k <= s->k))
		return;
	s->n = e->n;
	s->k = e->k;
	frame(s, e);
	if (e->final)
		web_end(s->w);
}

static void
give_all(struct stream *s, const struct event *e)
{
	if (e->id <= s->last)
		return;
	s->last = e->id;
	if (*e->name && wanted(s, e))   /* none: its job is not kept any more */
		frame(s, e);
}

/* History may be long, and a reader that takes it as fast as it can is not slow. */
void
stream_go_on(struct stream *s)
{
	if (!s->again || s->loading || s->gone)
		return;
	if (!s->w || web_behind(s->w) <= STREAM_BEHIND)
		stream_load(s);
	else if (!rest.at)
		loop_in(&rest, REST_MS);
}

/* It has to be read: something is missing before it, or nobody listened when the ledger was
 * asked, so that it came without what it says. */
static bool
must_read(const struct stream *s, const struct event *e)
{
	return s->again || !*e->name || (s->no && e->n > s->n + 1);
}

void
stream_give(struct stream *s, const struct event *e)
{
	if (s->no)
		give_job(s, e);
	else
		give_all(s, e);
}

static void
tell(struct stream *s, const struct event *e)
{
	if (s->gone)
		return;
	if (!s->loading && !must_read(s, e)) {
		stream_give(s, e);
		return;
	}
	s->again = true;
	stream_go_on(s);
}

void
streams_tell(const struct event *e)
{
	struct stream *s;

	for (s = buckets[(uint64_t)e->no % BUCKETS]; s; s = upcoming) {
		upcoming = s->next;
		if (s->no == e->no)
			tell(s, e);
	}
	for (s = all; s; s = upcoming) {
		upcoming = s->next;
		tell(s, e);
	}
}

void
stream_answer(struct stream *s)
{
	static const char hello[] = "retry: 1000\n\n";
	char lost[96];

	s->w = web_stream(s->c->r, on_gone, s);
	s->c = NULL;
	web_send(s->w, hello, sizeof(hello) - 1);
	if (api_stopping())
		web_end(s->w);
	if (s->lost)
		web_send(s->w, lost, (size_t)snprintf(lost, sizeof(lost), "id: %lld\nevent: lost\ndata: {\"oldest\":%lld}\n\n",
		    (long long)s->lost - 1, (long long)s->lost));
}

static void
alive(struct stream *s, unsigned turn)
{
	static const char sign[] = ": keep-alive\n\n";

	stream_go_on(s);
	/* Its client comes back, if its token is still good. Not all at once. */
	if (s->w && ++s->age > api.stream_s + ((uintptr_t)s >> 6) % api.stream_s / 2)
		web_end(s->w);
	else if (s->w && ((uintptr_t)s >> 6) % ALIVE_S == turn % ALIVE_S)
		web_send(s->w, sign, sizeof(sign) - 1);
}

static void
each(void (*f)(struct stream *s, unsigned turn), unsigned turn)
{
	for (int i = 0; i <= BUCKETS; i++)
		for (struct stream *s = i < BUCKETS ? buckets[i] : all; s; s = upcoming) {
			upcoming = s->next;
			f(s, turn);
		}
}

static void
go_on(struct stream *s, unsigned turn)
{
	(void)turn;
	stream_go_on(s);
}

static void
rested(struct loop_timer *t)
{
	(void)t;
	each(go_on, 0);
}

void
streams_alive(void)
{
	static unsigned turn;

	if (count)
		each(alive, turn);
	turn++;
}

static void
end(struct stream *s, unsigned turn)
{
	(void)turn;
	if (s->w)
		web_end(s->w);
}

void
streams_end(void)
{
	each(end, 0);
}
