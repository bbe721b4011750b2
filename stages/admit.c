/* admit - settle requests in the ledger. See docs/admit.1. */
#include <getopt.h>
#include <string.h>

#include "arg.h"
#include "err.h"
#include "json.h"
#include "pg.h"
#include "seen.h"
#include "entry.h"
#include "stage.h"

enum { BATCH = 500, BATCH_BYTES = 8 << 20, SOURCES = 1024, CONNECT_MS = 5000 };

static const char usage[] = "admit [-b batch]\n\n"
    "Reads requests, settles each in the ledger (SLUICE_DB) as a job, a duplicate, a\n"
    "conflict or a dead letter, then passes it on with \"admit\" added.\n"
    "  -b batch  most records of one transaction (500)\n";

static const char admit_sql[] = "select outcome, no, of, code from sluice.admit($1,$2,$3,$4,$5,$6,$7,$8,$9,"
    "$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23)";
static const char source_sql[] = "select (sluice.source_ids($1,$2,$3))[1]";

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT;
static struct pg_args args = PG_ARGS_INIT;
static struct entry batch[BATCH];
static size_t batch_n, batch_max = BATCH, batch_bytes;
/* Hashes of places, job ids and documents in the batch: none may be there twice. */
static struct seen seen;

struct source {
	struct buf name;
	int id;
};
static struct source sources[SOURCES];
static size_t sources_n;

static void
stop(enum pg_status st)
{
	stage_flush(&s);
	die(pg_exit(st), "%s", db.err);
}

static int
source_id(const struct entry *q)
{
	static struct buf name;
	int c, t, p;
	enum pg_status st;

	name.len = 0;
	buf_addf(&name, "%s\n%s\n%u", q->cluster.p, q->topic.p, (unsigned)q->part);
	for (size_t i = 0; i < sources_n; i++)
		if (sources[i].name.len == name.len && !memcmp(sources[i].name.p, name.p, name.len))
			return sources[i].id;
	pg_args_reset(&args);
	c = pg_array(&args, PG_TEXT);
	t = pg_array(&args, PG_TEXT);
	p = pg_array(&args, PG_INT4);
	pg_put(&args, c, q->cluster.p, q->cluster.len);
	pg_put(&args, t, q->topic.p, q->topic.len);
	pg_put_i64(&args, p, (int64_t)q->part);
	st = pg_call(&db, source_sql, &args);
	if (st != PG_OK)
		stop(st);
	if (sources_n == SOURCES)       /* forget them all: they are only remembered */
		sources_n = 0;
	sources[sources_n].name.len = 0;
	buf_add(&sources[sources_n].name, name.p, name.len);
	sources[sources_n].id = (int)pg_i64(&db, 0, 0);
	return sources[sources_n++].id;
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

/* Columns in the order of sluice.admit. */
static enum pg_status
call(struct entry *q, size_t n, const int *ids)
{
	static const enum pg_type types[] = { PG_INT4, PG_INT8, PG_INT8, PG_UUID, PG_TEXT, PG_TEXT, PG_TEXT,
	    PG_TEXT, PG_TEXT, PG_INT2, PG_UUID, PG_UUID, PG_BOOL, PG_TEXT, PG_BYTEA, PG_TEXT, PG_TEXT, PG_TEXT,
	    PG_TEXT, PG_TEXT, PG_TEXT, PG_INT4, PG_BYTEA };

	pg_args_reset(&args);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		pg_array(&args, types[i]);
	for (; n; n--, q++, ids++) {
		bool job = !q->reject, src = q->has_source;
		int a = 0;

		put_int(a++, *ids, src);
		put_int(a++, (int64_t)q->prev, src);
		put_int(a++, (int64_t)q->off, src);
		pg_put(&args, a++, q->rec_digest, 16);
		pg_puts(&args, a++, job ? "job" : "reject");
		put_text(a++, &q->tenant, true);
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
	}
	return pg_call_again(&db, admit_sql, &args);
}

static void
answer(const struct entry *q, int row)
{
	static struct buf member, line;
	struct rec_change c = { .name = "admit" };

	member.len = line.len = 0;
	buf_adds(&member, "{\"outcome\":");
	json_quotes(&member, pg_bytes(&db, row, 0, NULL));
	if (!pg_null(&db, row, 1))
		buf_addf(&member, ",\"no\":%lld", (long long)pg_i64(&db, row, 1));
	for (int col = 2; col < 4; col++) {
		if (pg_null(&db, row, col))
			continue;
		buf_adds(&member, col == 2 ? ",\"of\":" : ",\"code\":");
		json_quotes(&member, pg_bytes(&db, row, col, NULL));
	}
	buf_addc(&member, '}');
	c.val = member.p;
	c.len = member.len;
	rec_edit(&line, &q->rec, &c, 1);
	s.passed++;
	if (out_rec(&s.out, line.p, line.len) < 0)
		die_sys(XTEMP, "write stdout");
}

/* A batch that PostgreSQL refuses is halved until the record that it refuses
 * is alone; that one becomes a dead letter. */
static void
settle(struct entry *q, size_t n, const int *ids)
{
	enum pg_status st = call(q, n, ids);

	if (st == PG_DATA && n > 1) {
		settle(q, n / 2, ids);
		settle(q + n / 2, n - n / 2, ids + n / 2);
		return;
	}
	/* Alone it may pass: what it collided with is committed by now. */
	if (st == PG_DATA)
		st = call(q, n, ids);
	if (st == PG_DATA) {
		entry_reject(q, "admit", "refused", db.err);
		q->job_id.len = q->tenant.len = 0;
		st = call(q, n, ids);
	}
	if (st != PG_OK)
		stop(st);
	for (size_t i = 0; i < n; i++)
		answer(&q[i], (int)i);
}

static void
settle_batch(void)
{
	static int ids[BATCH];

	for (size_t i = 0; i < batch_n; i++)
		ids[i] = batch[i].has_source ? source_id(&batch[i]) : 0;
	if (batch_n)
		settle(batch, batch_n, ids);
	batch_n = batch_bytes = 0;
	seen_clear(&seen);
}

/* True when the batch had none of the request's keys before. */
static bool
is_new(const struct entry *q)
{
	uint64_t tenant = seen_hash(SEEN_START, &q->tenant);
	bool fresh = true;

	if (q->has_source)
		fresh = seen_add(&seen, seen_hash(seen_hash(17 + q->part * 31 + q->off * 2654435761u, &q->topic), &q->cluster));
	if (!q->reject) {
		fresh &= seen_add(&seen, seen_hash(tenant, &q->job_id));
		fresh &= seen_add(&seen, seen_hash(seen_hash(tenant + 1, &q->doc_key), &q->pipeline));
	}
	return fresh;
}

static void
take(const char *tenant)
{
	struct entry *q = &batch[batch_n];

	entry_read(q, s.rec.p, s.rec.len, tenant);
	if (!is_new(q)) {
		struct entry held = *q;

		settle_batch();
		*q = batch[0];
		batch[0] = held;
		is_new(&batch[0]);
	}
	batch_bytes += batch[batch_n].line.len;
	batch_n++;
	if (batch_n == batch_max || batch_bytes >= BATCH_BYTES)
		settle_batch();
}

/* A feeder asks whether we would live: then the database must. */
static void
probe(void)
{
	enum pg_status st;

	settle_batch();
	st = pg_ledger(&db, 1, NULL, NULL);
	if (st != PG_OK)
		stop(st);
	stage_pass(&s);
}

int
main(int argc, char **argv)
{
	const char *tenant = arg_env("SLUICE_TENANT", "default");
	bool is_probe;
	enum pg_status st;
	int c;

	err_init("admit");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+b:")) != -1)
		switch (c) {
		case 'b': batch_max = arg_ulong("-b", optarg, 1, BATCH); break;
		default: die_usage(usage);
		}
	if (optind != argc)
		die_usage(usage);
	st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);
	if (st == PG_OK)
		st = pg_ledger(&db, 1, NULL, NULL);
	if (st != PG_OK)
		stop(st);
	s.settles = true;
	while (stage_next(&s)) {
		if (rec_bool(rec_get(&s.rec, "probe"), &is_probe) == 0 && is_probe)
			probe();
		else
			take(tenant);
		if (!stage_ready(&s))
			settle_batch();
	}
	settle_batch();
	return stage_end(&s);
}
