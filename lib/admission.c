#include "admission.h"

#include <stdio.h>
#include <string.h>

#include "header.h"
#include "jobkey.h"
#include "now.h"

enum { PLACES = 1024 };

#define ADMIT_COLUMNS "$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28"
#define ADMIT(as) "select outcome, no, of, code from sluice.admit_" as "($1,$2,$3," ADMIT_COLUMNS ",$29,$30,$31)"
/* By whether it mends, and whether only the sender hears of it. */
static const char *const admit_sql[2][2] = {
	{ ADMIT("keyed"), ADMIT("keyed_answers") }, { ADMIT("mended"), ADMIT("mended_answers") } };
static const char begin_sql[] = "select sluice.source_begin($1,$2,$3)";
static const char place_sql[] = "select src, kind, tenant, pipeline from sluice.source_read($1,$2,$3)";
/* Of the topic on which a dead letter came, not of the one that it is fed from. */
static const char dead_sql[] = "select d.topic, t.pipeline from sluice.dead_letter d left join sluice.topic_setting t using (topic)"
    " where d.no = $1";

/* What is known of a partition, for a while. */
struct place {
	struct buf name, kind, tenant, pipeline;
	int64_t at_ms;
	int32_t src;
	bool met;               /* a record of it came */
};
static struct place places[PLACES];
static size_t places_n;
static struct pg_args args;

static struct place *
find(const struct entry *q)
{
	static struct buf whole;
	const struct buf *name = &whole;

	whole.len = 0;
	buf_addf(&whole, "%s\n%s\n%u", q->cluster.p, q->topic.p, (unsigned)q->part);
	for (size_t i = 0; i < places_n; i++)
		if (places[i].name.len == name->len && !memcmp(places[i].name.p, name->p, name->len))
			return &places[i];
	if (places_n == PLACES)         /* forget them all: they are only remembered */
		places_n = 0;
	places[places_n].name.len = 0;
	buf_add(&places[places_n].name, name->p, name->len);
	places[places_n].at_ms = -ADMISSION_STALE_MS;
	places[places_n].met = false;
	return &places[places_n++];
}

static void
keep(struct pg *db, int col, struct buf *b)
{
	size_t len;
	const char *p = pg_bytes(db, 0, col, &len);

	b->len = 0;
	buf_add(b, p, len);
	buf_str(b);
}

static enum pg_status
look_up(struct pg *db, const struct entry *q, struct place *p)
{
	enum pg_status st;
	int a[3];

	pg_args_reset(&args);
	a[0] = pg_scalar(&args, PG_TEXT);
	a[1] = pg_scalar(&args, PG_TEXT);
	a[2] = pg_scalar(&args, PG_INT4);
	pg_put(&args, a[0], q->cluster.p, q->cluster.len);
	pg_put(&args, a[1], q->topic.p, q->topic.len);
	pg_put_i64(&args, a[2], (int64_t)q->part);
	st = pg_call_again(db, place_sql, &args);
	if (st != PG_OK)
		return st;
	p->src = (int32_t)pg_i64(db, 0, 0);
	keep(db, 1, &p->kind);
	keep(db, 2, &p->tenant);
	keep(db, 3, &p->pipeline);
	p->at_ms = now_ms();
	return PG_OK;
}

/* A mended dead letter goes, if it names no pipeline, where its topic's requests go. */
static enum pg_status
mended_pipeline(struct pg *db, const struct entry *q, struct entry_said *said)
{
	static struct buf topic, pipeline;
	enum pg_status st;

	pg_args_reset(&args);
	pg_put_i64(&args, pg_scalar(&args, PG_INT8), (int64_t)q->dead);
	st = pg_call_again(db, dead_sql, &args);
	if (st != PG_OK || !pg_rows(db))
		return st;
	keep(db, 0, &topic);
	keep(db, 1, &pipeline);
	said->pipeline = pipeline.len ? pipeline.p : NULL;
	if (!said->pipeline && said->pipelines)
		said->pipeline = header_pipeline(said->pipelines, topic.p);
	return PG_OK;
}

static bool
stale(const struct place *p)
{
	return now_ms() - p->at_ms >= ADMISSION_STALE_MS;
}

bool
admission_asks(struct entry *q)
{
	return q->asks = q->mends || (q->has_source && stale(find(q)));
}

enum pg_status
admission_columns(struct pg *db, struct entry *q, const struct entry_said *base)
{
	struct entry_said said = *base;
	struct place *p;
	enum pg_status st;

	if (!q->has_source) {
		st = q->mends ? mended_pipeline(db, q, &said) : PG_OK;
		if (st == PG_OK)
			entry_columns(q, &said);
		return st;
	}
	p = find(q);
	if (q->asks && (st = look_up(db, q, p)) != PG_OK)
		return st;
	q->src = p->src;
	q->first = !p->met;
	p->met = true;
	said.kind = p->kind.len ? p->kind.p : NULL;
	said.tenant = p->tenant.len ? p->tenant.p : NULL;
	said.pipeline = p->pipeline.len ? p->pipeline.p : NULL;
	if (!said.pipeline && base->pipelines)
		said.pipeline = header_pipeline(base->pipelines, buf_str(&q->topic));
	entry_columns(q, &said);
	return PG_OK;
}

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

/* The keys of admit_keyed: the job's, that of one named as its document, the document's in its
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
