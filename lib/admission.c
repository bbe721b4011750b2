#include "admission.h"

#include <stdio.h>
#include <string.h>

#include "jobkey.h"

#define ADMIT_COLUMNS "$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28"
#define ADMIT(as, more) "select outcome, no, of, code from sluice.admit_" as "($1,$2,$3," ADMIT_COLUMNS ",$29,$30,$31" more ")"
/* By whether it mends, and whether only the sender hears of it. */
static const char *const admit_sql[2][2] = {
	{ ADMIT("batch", ",p_packed=>true"), ADMIT("keyed_answers", "") }, { ADMIT("mended", ""), ADMIT("mended_answers", "") } };
static const char begin_sql[] = "select sluice.source_begin($1,$2,$3)";
static struct pg_args args;

static void
put_text(int arg, const struct buf *b, bool have)
{
	if (have)
		pg_put(&args, arg, b->p, b->len);
	else
		pg_put_null(&args, arg);
}

static void
put_int(int arg, int64_t v, bool have)
{
	if (have)
		pg_put_i64(&args, arg, v);
	else
		pg_put_null(&args, arg);
}

/* The keys of admit_batch: the job's, that of one named as its document, the document's in its
 * pipeline, which is made of the text of the one before. */
static void
put_keys(const struct entry *q, int a)
{
	unsigned char name[32], whose[32], of[32];
	char text[36];

	if (q->reject) {
		for (int i = 0; i < 3; i++)
			pg_put_null(&args, a + i);
		return;
	}
	jobkey(name, q->tenant.p, q->tenant.len, q->job_id.p, q->job_id.len);
	jobkey(whose, q->tenant.p, q->tenant.len, q->doc_key.p, q->doc_key.len);
	jobkey(of, text, jobkey_text(text, whose), q->pipeline.p, q->pipeline.len);
	pg_put(&args, a, name, 16);
	pg_put(&args, a + 1, whose, 16);
	pg_put(&args, a + 2, of, 16);
}

/* Columns in the order of sluice.admit, from argument a on. */
static void
put(const struct entry *q, int a)
{
	bool job = !q->reject, src = q->has_source;

	put_int(a++, q->src, src);
	put_int(a++, (int64_t)q->prev, src);
	put_int(a++, (int64_t)q->off, src);
	pg_put(&args, a++, q->rec_digest, 16);
	pg_puts(&args, a++, job ? "job" : "reject");
	put_text(a++, &q->tenant, q->tenant.len);
	put_text(a++, &q->job_id, q->job_id.len);
	put_text(a++, &q->doc_key, job);
	put_text(a++, &q->pipeline, job);
	pg_put_i64(&args, a++, q->prio);
	pg_put(&args, a++, q->digest, 16);
	pg_put(&args, a++, q->doc, 16);
	pg_put_i64(&args, a++, q->again);
	put_text(a++, &q->text, job);
	put_text(a++, &q->original, q->has_original);
	put_text(a++, &q->trace, q->trace.len);
	put_text(a++, &q->stage, !job);
	put_text(a++, &q->code, !job);
	put_text(a++, &q->message, !job);
	put_text(a++, &q->error, !job);
	put_text(a++, &q->topic, src);
	put_int(a++, (int64_t)q->part, src);
	put_text(a++, &q->key, src && q->has_key);
	put_int(a++, (int64_t)q->ts, src && q->ts);
	put_text(a++, &q->headers, q->headers.len);
	put_text(a++, &q->callback, q->callback.len);
	put_text(a++, &q->blob, q->blob.len);
	put_int(a++, (int64_t)q->length, q->length);
	if (!q->mends)
		put_keys(q, a);
}

enum pg_status
admission_agrees(struct pg *db)
{
	static const char sql[] = "select sluice.key16('tenant', E'a\\uFFFDb')";
	unsigned char key[32];
	enum pg_status st = pg_call_again(db, sql, NULL);

	jobkey(key, "tenant", 6, "a\0b", 3);
	if (st != PG_OK || !memcmp(pg_bytes(db, 0, 0, NULL), key, 16))
		return st;
	snprintf(db->err, sizeof(db->err), "database: its ledger makes keys in another way than this program");
	return PG_BUG;
}

/* Whether the ledger lacks what lies before the first records of the batch's places. In
 * its order, and when all before it is settled: then only what is lost is not there. */
static enum pg_status
begin(struct pg *db, const struct entry *q, size_t n)
{
	size_t firsts = 0;

	pg_args_reset(&args);
	pg_array(&args, PG_INT4);
	pg_array(&args, PG_INT8);
	pg_array(&args, PG_INT8);
	for (size_t i = 0; i < n; i++) {
		if (!q[i].first || !q[i].has_low)
			continue;
		pg_put_i64(&args, 0, q[i].src);
		pg_put_i64(&args, 1, (int64_t)q[i].prev);
		pg_put_i64(&args, 2, (int64_t)q[i].low);
		firsts++;
	}
	return firsts ? pg_call_again(db, begin_sql, &args) : PG_OK;
}

/* The batch as arguments. */
static void
set_out(struct entry *q, size_t n)
{
	static struct entry *order[ADMISSION_MOST];
	static const enum pg_type types[] = { PG_INT4, PG_INT8, PG_INT8, PG_UUID, PG_TEXT, PG_TEXT, PG_TEXT,
	    PG_TEXT, PG_TEXT, PG_INT2, PG_UUID, PG_UUID, PG_BOOL, PG_TEXT, PG_BYTEA, PG_TEXT, PG_TEXT, PG_TEXT,
	    PG_TEXT, PG_TEXT, PG_TEXT, PG_INT4, PG_BYTEA, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8,
	    PG_UUID, PG_UUID, PG_UUID };
	bool mends = q->mends;
	int first = 0;

	pg_args_reset(&args);
	if (mends) {
		pg_put_i64(&args, pg_scalar(&args, PG_INT8), (int64_t)q->dead);
		pg_put_i64(&args, pg_scalar(&args, PG_BOOL), q->force);
		pg_put_i64(&args, pg_scalar(&args, PG_BOOL), q->tenant_named);
		first = 3;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(*types) - (mends ? 3 : 0); i++)
		pg_array(&args, types[i]);
	entry_order(q, n, order);
	for (size_t i = 0; i < n; i++)
		put(order[i], first);
	pg_args_lean(&args);
}

enum pg_status
admission_call(struct pg *db, struct entry *q, size_t n, bool answers)
{
	enum pg_status st = begin(db, q, n);

	if (st != PG_OK)
		return st;
	set_out(q, n);
	return pg_call_again(db, admit_sql[q->mends][answers], &args);
}

bool
admission_ready(struct entry *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (q[i].first && q[i].has_low)
			return false;
	set_out(q, n);
	return true;
}

enum pg_status
admission_send(struct pg *db, const struct entry *q, bool answers)
{
	return pg_send(db, admit_sql[q->mends][answers], &args);
}
