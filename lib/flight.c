#include "flight.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "metrics.h"

enum { WARY = 64 };      /* settlings, after a refusal */

static struct settling_of
whose(const struct flights *fs)
{
	return (struct settling_of){ fs->lease->worker, fs->lease->pipeline, lease_whole(fs->lease) && !fs->wary, fs->backoff };
}

void
flights_init(struct flights *fs, struct lease *l, struct pg *db, size_t max, const struct backoff *b)
{
	memset(fs, 0, sizeof(*fs));
	fs->lease = l;
	fs->db = db;
	fs->backoff = b;
	l->count = &fs->count;
	fs->m.completed = metrics_value("jobs_completed_total");
	fs->m.failed = metrics_value("jobs_failed_total");
	fs->m.retried = metrics_value("jobs_retried_total");
	fs->m.waiting = metrics_value("jobs_waiting_total");
	fs->m.refused = metrics_value("jobs_refused_total");
	fs->max = max;
	fs->f = mem_zalloc(max * sizeof(*fs->f));
	fs->spare = mem_array(NULL, max, sizeof(*fs->spare));
	for (int i = 0; i < 2; i++) {
		fs->batch[i].flight = mem_array(NULL, max, sizeof(*fs->batch[i].flight));
		settling_init(&fs->batch[i].s, max);
	}
	fs->added = &fs->batch[0];
	for (; fs->spare_n < max; fs->spare_n++)
		fs->spare[fs->spare_n] = max - 1 - fs->spare_n;
}

void
flights_free(struct flights *fs)
{
	for (size_t i = 0; i < fs->max; i++) {
		buf_free(&fs->f[i].tenant);
		buf_free(&fs->f[i].job_id);
		buf_free(&fs->f[i].doc_key);
		buf_free(&fs->f[i].request);
	}
	free(fs->f);
	free(fs->spare);
	for (int i = 0; i < 2; i++) {
		free(fs->batch[i].flight);
		settling_release(&fs->batch[i].s);
	}
}

size_t
flight_new(struct flights *fs)
{
	size_t i = fs->spare[--fs->spare_n];

	fs->f[i].used = true;
	fs->n++;
	fs->count.in_flight = (int)fs->n;
	return i;
}

struct result_job
flight_job(const struct flights *fs, size_t i)
{
	const struct flight *f = &fs->f[i];

	return (struct result_job){ f->tenant.p, f->job_id.p, f->doc_key.p, fs->lease->pipeline,
	    result_priority(f->prio), f->run, f->attempt, NULL };
}

ssize_t
flight_find(const struct flights *fs, int64_t no, int attempt)
{
	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used && fs->f[i].no == no && fs->f[i].attempt == attempt)
			return (ssize_t)i;
	return -1;
}

void
flight_add(struct flights *fs, size_t i, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct settling_notes *notes, int64_t now)
{
	const struct flight *f = &fs->f[i];
	const struct settling_of of = whose(fs);
	const struct settling_job job = { f->no, f->n, f->attempt, f->in_run };
	struct flight_batch *b = fs->added;

	if (!b->s.n)
		fs->settle_by = now + FLIGHT_SETTLE_MS;
	b->flight[b->s.n] = i;
	settling_add(&b->s, &of, &job, v, line, message, notes);
}

bool
flights_full(const struct flights *fs)
{
	return fs->added->s.n >= (fs->sent ? 2 : 1) * (size_t)FLIGHT_SETTLE_MOST || fs->added->s.bytes >= FLIGHT_SETTLE_BYTES;
}

static void
count(struct flights *fs, const struct flight *f, bool applied, const char *state)
{
	fs->count.processed++;
	if (!applied) {
		++*fs->m.refused;
		warn("refused as stale: job=%s attempt=%d state=%s", f->job_id.p, f->attempt, state);
	} else if (!strcmp(state, "completed")) {
		++*fs->m.completed;
	} else if (!strcmp(state, "failed")) {
		fs->count.failed++;
		++*fs->m.failed;
	} else if (!strcmp(state, "queued")) {
		fs->count.retried++;
		++*fs->m.retried;
	} else
		++*fs->m.waiting;
}

static void
land(struct flights *fs, size_t i, const struct settled *said, int64_t now)
{
	struct flight *f = &fs->f[i];

	count(fs, f, said->applied, said->state);
	if (!strcmp(said->state, "queued") && lease_owns(fs->lease, f->no))
		dispatch_again(&fs->lease->jobs, f->no, said->n, said->suspect, said->wait_ms, now);
	else if (lease_owns(fs->lease, f->no))
		dispatch_over(&fs->lease->jobs, f->no, said->n, now);
	else
		dispatch_forget(&fs->lease->jobs, f->no);
	f->used = false;
	fs->n--;
	fs->count.in_flight = (int)fs->n;
	fs->spare[fs->spare_n++] = i;
	if (f->request.cap > (1 << 16))
		buf_free(&f->request);
}

bool
flights_due(const struct flights *fs, int64_t now)
{
	size_t n = fs->added->s.n;

	return n && !fs->sent && (now >= fs->settle_by || n == fs->n || n >= FLIGHT_SETTLE_MOST);
}

bool
flights_answered(struct flights *fs)
{
	return fs->sent && (!fs->under_way || pg_done(fs->db));
}

enum pg_status
flights_land(struct flights *fs, int64_t now)
{
	const struct settling_of of = whose(fs);
	struct flight_batch *b = fs->sent;
	enum pg_status st;
	bool plain;

	if (!b)
		return PG_OK;
	plain = b->s.plain;
	st = settling_land(&b->s, &of, fs->db, fs->under_way);
	fs->under_way = false;
	if (plain && !b->s.plain)
		fs->wary = WARY;
	if (st != PG_OK)
		return st;
	for (size_t i = 0; i < b->s.n; i++) {
		struct settled said = settling_said(&b->s, fs->db, i);

		land(fs, b->flight[i], &said, now);
	}
	settling_clear(&b->s);
	fs->sent = NULL;
	return PG_OK;
}

enum pg_status
flights_send(struct flights *fs, int64_t now)
{
	enum pg_status st = flights_land(fs, now);
	const struct settling_of of = whose(fs);        /* as it is after that: a refusal makes wary */

	if (st != PG_OK || !fs->added->s.n)
		return st;
	fs->sent = fs->added;
	fs->added = &fs->batch[fs->sent == fs->batch];
	fs->under_way = settling_send(&fs->sent->s, &of, fs->db) == PG_OK;
	if (fs->wary)
		fs->wary--;
	return PG_OK;
}

enum pg_status
flights_settle(struct flights *fs, int64_t now)
{
	enum pg_status st = flights_send(fs, now);

	return st == PG_OK ? flights_land(fs, now) : st;
}

enum pg_status
flights_hand_back(struct flights *fs, int64_t now)
{
	struct result_verdict back = { .verb = "back" };

	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used)
			flight_add(fs, i, &back, NULL, NULL, NULL, now);
	return flights_settle(fs, now);
}

uint64_t
flights_slots(const struct flights *fs)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used)
			mask |= (uint64_t)1 << (fs->f[i].no % DISPATCH_SLOTS);
	return mask;
}
