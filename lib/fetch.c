#include "fetch_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "now.h"

enum {
	KEPT = 64 << 10,        /* bytes of a body that a spare job keeps: there are a thousand of them */
	AWAY_MS = 1000          /* who looks so seldom ran out of time by himself */
};

struct fetch *
fetch_open(const struct fetch_opts *o)
{
	struct fetch *f = mem_zalloc(sizeof *f);

	f->o = *o;
	f->o.per_host = o->per_host ? o->per_host : 8;
	f->o.at_once = o->at_once ? o->at_once : 64;
	f->o.max = o->max ? o->max : (size_t)16 << 20;
	f->o.connect_ms = o->connect_ms ? o->connect_ms : 10000;
	f->o.total_ms = o->total_ms ? o->total_ms : 60000;
	f->o.redirects = o->redirects ? o->redirects : 5;
	f->wake = -1;
	f->cache = (struct fetch_cache)FETCH_CACHE_INIT;
	if (fetch_hosts_init(&f->hosts, o->rate, o->failures, o->rest_ms) < 0) {
		fetch_free(f);
		errno = ERANGE;
		return NULL;
	}
	if (!(f->m = http_multi_open(o->allow, o->agent, f->o.at_once)) ||
	    (o->cache && fetch_cache_open(&f->cache, o->cache, o->cache_max) < 0)) {
		int e = errno;

		fetch_free(f);
		errno = e;
		return NULL;
	}
	f->hosts.pace = f->cache.pace;
	return f;
}

static void
free_jobs(struct fetch_queue *l)
{
	struct fetch_job *j;

	while ((j = fetch_pop(l))) {
		buf_free(&j->url);
		buf_free(&j->method);
		buf_free(&j->secret);
		buf_free(&j->secret_query);
		buf_free(&j->header);
		buf_free(&j->sent);
		buf_free(&j->condition[0]);
		buf_free(&j->condition[1]);
		buf_free(&j->r.body);
		free(j);
	}
}

void
fetch_free(struct fetch *f)
{
	if (!f)
		return;
	http_multi_free(f->m);
	for (unsigned i = 0; i < FETCH_BUCKETS; i++)
		for (struct fetch_host *x = f->hosts.bucket[i]; x; x = x->next)
			free_jobs(&x->queue);
	free_jobs(&f->waiting);
	free_jobs(&f->ready);
	free_jobs(&f->spare);
	fetch_hosts_free(&f->hosts);
	fetch_cache_close(&f->cache);
	free(f);
}

/* Hands the request to libcurl, with the secrets that its host may know. */
static void
transfer(struct fetch *f, struct fetch_job *j)
{
	bool trusted = strcmp(j->host->origin, j->origin) == 0;
	size_t n = 0;

	j->sent.len = 0;
	buf_adds(&j->sent, j->url.p);
	if (trusted && j->q.secret_query)
		buf_addf(&j->sent, "%c%s", strchr(j->url.p, '?') ? '&' : '?', j->q.secret_query);
	if (j->q.header)
		j->headers[n++] = j->q.header;
	if (trusted && j->q.secret)
		j->headers[n++] = j->q.secret;
	for (int i = 0; i < 2; i++)
		if (j->condition[i].len)
			j->headers[n++] = buf_str(&j->condition[i]);
	j->headers[n] = NULL;
	j->t = (struct http_transfer){ .url = buf_str(&j->sent), .method = j->q.method, .headers = j->headers,
		.body = j->q.body, .body_len = j->q.body_len, .parts = j->q.parts, .n_parts = j->q.n_parts,
		.max = j->q.max, .connect_ms = f->o.connect_ms, .total_ms = j->q.total_ms,
		.sink = j->q.sink, .ctx = j->q.ctx, .r = &j->r };
	if (http_multi_add(f->m, &j->t) < 0) {
		j->host->probing = false;       /* it tried nothing */
		fetch_push(&f->ready, j);
		return;
	}
	j->host->running++;
	f->running++;
	f->totals.sent++;
}

static void
begin_of(struct fetch *f, struct fetch_host *x, int64_t now)
{
	int64_t when;

	while (x->queue.n && x->running < f->o.per_host && f->running < f->o.at_once)
		switch (fetch_host_may(x, &when)) {
		case FETCH_MAY:
			transfer(f, fetch_pop(&x->queue));
			break;
		case FETCH_CLOSED:
			f->totals.put_off++;
			fetch_host_put_off(&f->hosts, x, now, &x->queue.head->r);
			fetch_push(&f->ready, fetch_pop(&x->queue));
			break;
		case FETCH_LATER:
			if (f->wake < 0 || when < f->wake)
				f->wake = when;
			return;
		case FETCH_HELD:
			return;
		}
}

/* Begins all that may begin, and notes when the next may. */
static void
begin(struct fetch *f)
{
	struct fetch_queue later = { 0 };
	int64_t now = now_ms();
	struct fetch_job *j;

	f->wake = -1;
	while ((j = fetch_pop(&f->waiting))) {
		if (j->not_before <= now) {
			j->host->waiting--;
			fetch_push(&j->host->queue, j);
			continue;
		}
		fetch_push(&later, j);
		if (f->wake < 0 || j->not_before < f->wake)
			f->wake = j->not_before;
	}
	f->waiting = later;
	f->turn++;
	for (unsigned i = 0; i < FETCH_BUCKETS; i++)
		for (struct fetch_host *x = f->hosts.bucket[(i + f->turn) % FETCH_BUCKETS]; x; x = x->next)
			begin_of(f, x, now);
}

/* True when there was one: it may have made room, or goes on elsewhere. */
static bool
collect(struct fetch *f, bool away)
{
	struct http_transfer *t;
	bool any = false;

	while ((t = http_multi_done(f->m))) {
		struct fetch_job *j = (struct fetch_job *)(void *)((char *)t - offsetof(struct fetch_job, t));

		j->host->running--;
		f->running--;
		if (!away || j->host->probing || !j->r.code || strcmp(j->r.code, "fetch_timeout") != 0)
			fetch_host_learn(&f->hosts, j->host, now_ms(), &j->r);
		if (!fetch_unchanged(f, j))
			fetch_enqueue(f, j);
		else if (!fetch_go_on(f, j))
			fetch_push(&f->ready, j);
		any = true;
	}
	return any;
}

size_t
fetch_work(struct fetch *f)
{
	bool away = now_ms() - f->here > AWAY_MS, told;
	struct fetch_job *j;

	do {
		begin(f);
		told = collect(f, away);
		while ((j = fetch_pop(&f->ready))) {
			snprintf(j->r.url, sizeof j->r.url, "%s", buf_str(&j->url));
			f->unanswered--;
			j->q.done(j->q.ctx, &j->r);
			fetch_keep(f, j);
			if (j->r.body.cap > KEPT)
				buf_free(&j->r.body);
			fetch_push(&f->spare, j);
			told = true;
		}
	} while (told);
	f->here = now_ms();
	return f->unanswered;
}

const struct fetch_totals *
fetch_totals(const struct fetch *f)
{
	return &f->totals;
}

int
fetch_wait(struct fetch *f, int fd)
{
	int64_t now = now_ms();
	int r = http_multi_wait(f->m, fd, f->wake < 0 ? -1 : f->wake <= now ? 0 : (int)(f->wake - now));

	f->here = now_ms();
	return r;
}
