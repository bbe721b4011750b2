#include "flight.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

/* settle's arguments after worker, pipeline and retries. */
enum { FIRST = 3, NO = FIRST, N, ATTEMPT, VERB, RETRY, CHARGE, AFTER, ERROR, LINE, RESULT, STDERR, END };

static const char settle_sql[] = "select no, applied, state, n, suspect, wait_ms from "
    "sluice.settle($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)";

static void
start(struct flights *fs)
{
	static const enum pg_type types[END - FIRST] = { PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_BOOL, PG_BOOL,
	    PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA };

	pg_args_reset(&fs->args);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT8), fs->lease->worker);
	pg_puts(&fs->args, pg_scalar(&fs->args, PG_TEXT), fs->lease->pipeline);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT4), fs->retries);
	for (int i = 0; i < END - FIRST; i++)
		pg_array(&fs->args, types[i]);
	fs->added_n = fs->added_bytes = 0;
}

void
flights_init(struct flights *fs, struct lease *l, size_t max, unsigned retries)
{
	memset(fs, 0, sizeof(*fs));
	fs->lease = l;
	fs->retries = retries;
	fs->max = max;
	fs->f = mem_zalloc(max * sizeof(*fs->f));
	fs->spare = mem_array(NULL, max, sizeof(*fs->spare));
	fs->added = mem_array(NULL, max, sizeof(*fs->added));
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
	free(fs->added);
	pg_args_free(&fs->args);
}

size_t
flight_new(struct flights *fs)
{
	size_t i = fs->spare[--fs->spare_n];

	fs->f[i].used = true;
	fs->n++;
	return i;
}

struct result_job
flight_job(const struct flights *fs, size_t i)
{
	const struct flight *f = &fs->f[i];

	return (struct result_job){ f->tenant.p, f->job_id.p, f->doc_key.p, fs->lease->pipeline,
	    result_priority(f->prio), f->run, f->attempt };
}

static void
put_text(struct flights *fs, int column, const struct buf *b)
{
	if (b && b->len) {
		pg_put(&fs->args, column, b->p, b->len);
		fs->added_bytes += b->len;
	} else
		pg_put_null(&fs->args, column);
}

void
flight_add(struct flights *fs, size_t i, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct buf *err, int64_t now)
{
	const struct flight *f = &fs->f[i];

	if (!fs->added_n) {
		start(fs);
		fs->settle_by = now + FLIGHT_SETTLE_MS;
	}
	fs->added[fs->added_n++] = i;
	pg_put_i64(&fs->args, NO, f->no);
	pg_put_i64(&fs->args, N, f->n);
	pg_put_i64(&fs->args, ATTEMPT, f->attempt);
	pg_puts(&fs->args, VERB, v->verb);
	pg_put_i64(&fs->args, RETRY, v->retry);
	pg_put_i64(&fs->args, CHARGE, v->retry);
	pg_put_i64(&fs->args, AFTER, (int64_t)v->after_ms);
	put_text(fs, ERROR, &v->error);
	put_text(fs, LINE, line);
	put_text(fs, RESULT, message);
	put_text(fs, STDERR, err);
}

bool
flights_full(const struct flights *fs)
{
	return fs->added_n >= FLIGHT_SETTLE_MOST || fs->added_bytes >= FLIGHT_SETTLE_BYTES;
}

static void
land(struct flights *fs, size_t i, int row, int64_t now)
{
	struct pg *db = fs->lease->db;
	struct flight *f = &fs->f[i];
	const char *state = pg_bytes(db, row, 2, NULL);

	if (!pg_bool(db, row, 1))
		warn("refused as stale: job=%s attempt=%d state=%s", f->job_id.p, f->attempt, state);
	if (!strcmp(state, "queued") && lease_owns(fs->lease, f->no))
		dispatch_again(&fs->lease->jobs, f->no, (int)pg_i64(db, row, 3), (int)pg_i64(db, row, 4),
		    pg_i64(db, row, 5), now);
	else
		dispatch_forget(&fs->lease->jobs, f->no);
	f->used = false;
	fs->n--;
	fs->spare[fs->spare_n++] = i;
	if (f->request.cap > (1 << 16))
		buf_free(&f->request);
}

enum pg_status
flights_settle(struct flights *fs, int64_t now)
{
	enum pg_status st;

	if (!fs->added_n)
		return PG_OK;
	st = pg_call_again(fs->lease->db, settle_sql, &fs->args);
	if (st != PG_OK)
		return st;
	for (size_t i = 0; i < fs->added_n; i++)
		land(fs, fs->added[i], (int)i, now);
	fs->added_n = fs->added_bytes = 0;
	return PG_OK;
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
