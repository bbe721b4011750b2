/* admit - settle requests in the ledger. See docs/admit.1. */
#include <getopt.h>
#include <string.h>

#include "admission.h"
#include "answer.h"
#include "arg.h"
#include "err.h"
#include "hint.h"
#include "seen.h"
#include "stage.h"

enum { BATCH = ADMISSION_MOST, BATCH_BYTES = 8 << 20, CONNECT_MS = 5000, LEDGER = 23 };

static const char usage[] = "admit [-a] [-b batch] [-p folder]\n\n"
    "Reads requests, settles each in the ledger (SLUICE_DB) as a job, a duplicate, a\n"
    "conflict or a dead letter, then passes it on with \"admit\" added.\n"
    "  -a         answers only: what is refused or was there before becomes no dead\n"
    "             letter and no message, the line says it\n"
    "  -b batch   most records of one transaction (500)\n"
    "  -p folder  where the pipelines are that are chosen for documents (none: auto)\n";

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT, kept = PG_INIT;  /* kept: what was answered to the batch before */
/* One batch is filled while the ledger settles the one before. */
static struct entry batches[2][BATCH], *batch = batches[0], *sent;
static bool answers, under_way;
static size_t batch_n, batch_max = BATCH, batch_bytes, sent_n;
/* Hashes of places, job ids and documents in the batch: none may be there twice. */
static struct seen seen;

static void
stop(enum pg_status st)
{
	stage_flush(&s);
	die(pg_exit(st), "%s", db.err);
}

static void
answer(const struct pg *from, const struct entry *q)
{
	static struct buf member, line;
	struct rec_change c = { .name = "admit" };

	line.len = 0;
	answer_row(&member, from, q->row);
	if (answers)
		answer_why(&member, q, from, q->row);
	c.val = member.p;
	c.len = member.len;
	rec_edit(&line, &q->rec, &c, 1);
	if (answer_new(from, q->row))
		hint_say(arg_env("SLUICE_DB", ""), q->pipeline.p, q->pipeline.len);
	s.passed++;
	if (out_rec(&s.out, line.p, line.len) < 0)
		die_sys(XTEMP, "write stdout");
}

/* A batch that PostgreSQL refuses is halved until the record that it refuses
 * is alone; that one becomes a dead letter. */
static void
settle(struct entry *q, size_t n)
{
	enum pg_status st = admission_call(&db, q, n, answers);

	if (st == PG_DATA && n > 1) {
		settle(q, n / 2);
		settle(q + n / 2, n - n / 2);
		return;
	}
	/* Alone it may pass: what it collided with is committed by now. */
	if (st == PG_DATA)
		st = admission_call(&db, q, n, answers);
	if (st == PG_DATA) {
		entry_reject(q, "admit", "refused", db.err);
		q->job_id.len = q->tenant.len = 0;
		st = admission_call(&db, q, n, answers);
	}
	if (st != PG_OK)
		stop(st);
	for (size_t i = 0; i < n; i++)
		answer(&db, &q[i]);
}

/* Until what was sent is settled: true, its answers are kept. What could not be sent, or failed, is tried
 * step by step, and answered. */
static bool
wait_for(void)
{
	bool landed = sent_n && under_way && pg_wait(&db) == PG_OK;

	under_way = false;
	if (landed)
		pg_keep(&kept, &db);
	else if (sent_n)
		settle(sent, sent_n);
	return landed;
}

static void
done(bool landed)
{
	for (size_t i = 0; landed && i < sent_n; i++)
		answer(&kept, &sent[i]);
	for (size_t i = 0; i < sent_n; i++)
		entry_done(&sent[i]);
	sent_n = 0;
}

static void
land(void)
{
	done(wait_for());
}

/* The ledger has the next batch before the answers to the one before go on. */
static void
send_batch(void)
{
	bool ready = batch_n && admission_ready(batch, batch_n), landed = wait_for();

	if (!landed && sent_n)          /* what was made ready is gone */
		ready = batch_n && admission_ready(batch, batch_n);
	if (ready)
		under_way = admission_send(&db, batch, answers) == PG_OK;
	done(landed);
	if (!batch_n)
		return;
	sent = batch;
	sent_n = batch_n;
	batch = batches[batch == batches[0]];
	batch_n = batch_bytes = 0;
	seen_clear(&seen);
}

static void
settle_batch(void)
{
	send_batch();
	land();
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
take(const struct entry_said *said)
{
	struct entry *q = &batch[batch_n];
	enum pg_status st;

	entry_read(q, s.rec.p, s.rec.len);
	if (answers && q->has_source) {         /* a place has one outcome for ever, which others see to */
		entry_reject(q, "admit", "bad_source", "\"kafka\" is for records that come from there");
		q->has_source = false;
	}
	if (admission_asks(q))
		land();
	st = admission_columns(&db, q, said);
	if (st != PG_OK)
		stop(st);
	if (!is_new(q) || q->mends) {
		struct entry held = *q;

		send_batch();
		*q = batch[0];
		batch[0] = held;
		is_new(&batch[0]);
	}
	batch_bytes += batch[batch_n].line.len;
	batch_n++;
	if (batch_n == batch_max || batch[0].mends || batch_bytes >= BATCH_BYTES)
		send_batch();
}

/* A feeder asks whether we would live: then the database must. */
static void
probe(void)
{
	enum pg_status st;

	settle_batch();
	st = pg_ledger(&db, LEDGER, NULL, NULL);
	if (st != PG_OK)
		stop(st);
	stage_pass(&s);
}

int
main(int argc, char **argv)
{
	struct entry_said said = { .default_tenant = arg_env("SLUICE_TENANT", "default") };
	bool is_probe;
	enum pg_status st;
	int c;

	err_init("admit");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+ab:p:")) != -1)
		switch (c) {
		case 'a': answers = true; break;
		case 'b': batch_max = arg_ulong("-b", optarg, 1, BATCH); break;
		case 'p': said.pipelines = optarg; break;
		default: die_usage(usage);
		}
	if (optind != argc)
		die_usage(usage);
	st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);
	if (st == PG_OK)
		st = pg_ledger(&db, LEDGER, NULL, NULL);
	if (st == PG_OK)
		st = admission_agrees(&db);
	if (st != PG_OK)
		stop(st);
	s.settles = true;
	while (stage_next(&s)) {
		if (rec_bool(rec_get(&s.rec, "probe"), &is_probe) == 0 && is_probe)
			probe();
		else
			take(&said);
		if (!stage_ready(&s))
			settle_batch();
	}
	settle_batch();
	hint_end();
	return stage_end(&s);
}
