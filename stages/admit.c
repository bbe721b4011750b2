/* admit - settle requests in the ledger. See docs/admit.1. */
#include <getopt.h>
#include <string.h>

#include "admitting.h"
#include "answer.h"
#include "arg.h"
#include "err.h"
#include "hint.h"
#include "load.h"
#include "stage.h"

enum { BATCH = ADMISSION_MOST, BATCH_BYTES = 8 << 20, CONNECT_MS = 5000, LEDGER = 24 };

static const char usage[] = "admit [-a] [-b batch] [-p folder]\n\n"
    "Reads requests, settles each in the ledger (SLUICE_DB) as a job, a duplicate, a\n"
    "conflict or a dead letter, then passes it on with \"admit\" added.\n"
    "  -a         answers only: what is refused or was there before becomes no dead\n"
    "             letter and no message, the line says it\n"
    "  -b batch   most records of one transaction (500)\n"
    "  -p folder  where the pipelines are that are chosen for documents (none: auto)\n";

static struct stage s = STAGE_INIT;
static struct admitting ledger = ADMITTING_INIT;
static struct pg kept = PG_INIT;        /* what was answered to a batch that is done */
/* One is filled while others are on their way. */
static struct load own[ADMITTING_WAYS + 1], *load = own;
static struct loads loads = { own, ADMITTING_WAYS + 1 };
static size_t batch_max = BATCH;
static struct answers told;

static void
stop(const struct pg *db, enum pg_status st)
{
	stage_flush(&s);
	die(pg_exit(st), "%s", db->err);
}

static void
answer(const struct pg *from, const struct entry *q)
{
	static struct buf member, line;
	struct rec_change c = { .name = "admit" };

	line.len = 0;
	answer_row(&member, from, q->row);
	if (ledger.answers)
		answer_why(&member, q, from, q->row);
	c.val = member.p;
	c.len = member.len;
	rec_edit(&line, &q->rec, &c, 1);
	answer_count(&told, from, q->row);
	if (answer_new(from, q->row))
		hint_say(arg_env("SLUICE_DB", ""), q->pipeline.p, q->pipeline.len);
	s.passed++;
	if (out_rec(&s.out, line.p, line.len) < 0)
		die_sys(XTEMP, "write stdout");
}

/* A batch that PostgreSQL refuses is halved until the record that it refuses
 * is alone; that one becomes a dead letter. */
static void
settle(struct pg *db, struct entry *q, size_t n)
{
	enum pg_status st = admission_call(db, q, n, ledger.answers);

	if (st == PG_DATA && n > 1) {
		settle(db, q, n / 2);
		settle(db, q + n / 2, n - n / 2);
		return;
	}
	/* Alone it may pass: what it collided with is committed by now. */
	if (st == PG_DATA)
		st = admission_call(db, q, n, ledger.answers);
	if (st == PG_DATA) {
		entry_reject(q, "admit", "refused", db->err);
		q->job_id.len = q->tenant.len = 0;
		st = admission_call(db, q, n, ledger.answers);
	}
	if (st != PG_OK)
		stop(db, st);
	for (size_t i = 0; i < n; i++)
		answer(db, &q[i]);
}

/* Done with a batch, whose answers are in from. */
static void
done(const struct pg *from, struct load *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (from)
			answer(from, &l->q[i]);
		entry_done(&l->q[i]);
	}
	load_clear(l);
}

/* Until all that is on its way is settled. */
static void
land(void)
{
	struct admitting_way *w;

	while ((w = admitting_wait(&ledger))) {
		bool landed = w->state == WAY_LANDED;

		if (!landed)
			settle(&w->db, w->batch, w->n);
		done(landed ? &w->db : NULL, load_of(&loads, w->batch));
		admitting_free(&ledger);
	}
}

/* The ledger has the next batch before the answers to the oldest go on. */
static bool
send_ready(void)
{
	struct load *answered = NULL;
	bool sent;

	if (admitting_full(&ledger)) {
		struct admitting_way *w = admitting_wait(&ledger);

		if (w->state != WAY_LANDED)
			return false;
		pg_keep(&kept, &w->db);
		answered = load_of(&loads, w->batch);
		admitting_free(&ledger);
	}
	sent = admitting_send(&ledger, load->q, load->n);
	if (answered)
		done(&kept, answered);
	return sent;
}

static void
send_batch(void)
{
	const char *why;

	if (!load->n)
		return;
	if (load_waits(&loads, load) || !admission_ready(load->q, load->n) || !send_ready()) {
		land();
		admitting_put(&ledger, load->q, load->n, admission_ready(load->q, load->n));
	}
	if ((why = admitting_alone(&ledger)))
		info("one batch at a time, for there is no second connection: %s", why);
	load->out = true;
	load = load_free(&loads);
}

static void
settle_batch(void)
{
	send_batch();
	land();
}

static void
take(const struct entry_said *said)
{
	struct entry *q = &load->q[load->n];
	enum pg_status st;

	entry_read(q, s.rec.p, s.rec.len);
	if (ledger.answers && q->has_source) {  /* a place has one outcome for ever, which others see to */
		entry_reject(q, "admit", "bad_source", "\"kafka\" is for records that come from there");
		q->has_source = false;
	}
	if (admission_asks(q))
		land();
	st = admission_columns(admitting_db(&ledger), q, said);
	if (st != PG_OK)
		stop(admitting_db(&ledger), st);
	if (!load_keys(&loads, load, q) || q->mends) {
		struct entry held = *q;

		send_batch();
		*q = load->q[0];
		load->q[0] = held;
		load_keys(&loads, load, &load->q[0]);
	}
	load_add(load);
	if (load->n == batch_max || load->q[0].mends || load->bytes >= BATCH_BYTES)
		send_batch();
}

/* A feeder asks whether we would live: then the database must. */
static void
probe(void)
{
	enum pg_status st;

	settle_batch();
	st = pg_ledger(admitting_db(&ledger), LEDGER, NULL, NULL);
	if (st != PG_OK)
		stop(admitting_db(&ledger), st);
	stage_pass(&s);
}

int
main(int argc, char **argv)
{
	struct entry_said said = { .default_tenant = arg_env("SLUICE_TENANT", "default") };
	static struct buf outcomes;
	bool is_probe;
	enum pg_status st;
	int c;

	err_init("admit");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+ab:p:")) != -1)
		switch (c) {
		case 'a': ledger.answers = true; break;
		case 'b': batch_max = arg_ulong("-b", optarg, 1, BATCH); break;
		case 'p': said.pipelines = optarg; break;
		default: die_usage(usage);
		}
	if (optind != argc)
		die_usage(usage);
	st = admitting_open(&ledger, arg_env("SLUICE_DB", ""), LEDGER, CONNECT_MS);
	if (st != PG_OK)
		stop(admitting_db(&ledger), st);
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
	if (answer_told(&outcomes, &told))
		info("outcomes:%s", buf_str(&outcomes));
	return stage_end(&s);
}
