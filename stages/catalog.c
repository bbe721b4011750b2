/* catalog - makes what is known of a work searchable before its text is. See
 * docs/catalog.1. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "index/card.h"
#include "index/store.h"
#include "pg.h"
#include "stage.h"
#include "stage_ledger.h"

static const char usage[] = "catalog [-d conninfo] [-l maxbytes]\n"
    "\n"
    "Writes the title, authors, venue, year and abstract in each job's \"work\" to the\n"
    "ledger's index, where there is no text of the document yet, so that search finds\n"
    "it by its words. Lines pass as they are.\n"
    "\n"
    "  -d conninfo  the ledger (default $SLUICE_DB; empty: none)\n"
    "  -l maxbytes  the longest record (default 16M)\n";

enum { SCHEMA = 14, ROWS = 64, HELD_MAX = 16 << 20 };

static const char call[] = "select place, outcome from sluice.catalog_works($1, $2, $3, $4, $5, $6, $7, $8)";

/* What holds one document, such as the index that writes its text, is not waited for
 * as long as the database. */
static const char patience[] = "set lock_timeout = '1s'";

/* A line that waits for its batch: copied, because stage_next's is borrowed. */
struct held {
	size_t at, len;         /* in lines */
	size_t why;             /* in whys: what the database said */
	bool row;               /* to be entered */
	enum { PASS, STALE, REFUSED, BUSY } is;
};

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT;
static struct pg_args args = PG_ARGS_INIT;
static struct held *held;               /* owned, for as long as the process lives */
static size_t n, cap, rows;
static struct buf lines, whys;
static bool ledger;

static void
stop(enum pg_status st)
{
	stage_flush(&s);
	die(pg_exit(st), "ledger: %s", db.err);
}

static void
put_text(int k, const struct rec_member *m, const char *fallback)
{
	static struct buf v;

	v.len = 0;
	if (rec_str(m, &v) == 0)
		pg_put(&args, k, buf_str(&v), v.len);
	else
		pg_puts(&args, k, fallback);
}

static void
put_number(int k, const struct rec_member *m)
{
	uint64_t v = 0;

	rec_u64(m, &v);
	pg_put_i64(&args, k, v < INT32_MAX ? (int64_t)v : INT32_MAX);
}

/* One line into the arrays. */
static void
put_row(const struct rec *r)
{
	static struct card card;
	static struct buf key;

	card_read(&card, r);
	store_key(&key, r);
	put_text(0, rec_get(r, "tenant"), arg_env("SLUICE_TENANT", "default"));
	pg_put(&args, 1, buf_str(&key), key.len);
	put_text(2, rec_get(r, "job_id"), "");
	put_number(3, rec_get(r, "run"));
	put_number(4, rec_get(r, "attempt"));
	pg_put(&args, 5, card.title.p, card.title.len);
	pg_put(&args, 6, buf_str(&card.language), card.language.len);
	pg_put(&args, 7, card.body.p, card.body.len);
}

/* It parsed when it was read; the stage's current record becomes this one. */
static void
take(const struct held *h)
{
	if (rec_parse(&s.rec, lines.p + h->at, h->len) != REC_OK)
		die(XBUG, "a held record no longer parses");
}

/* The rows among h[0..m) in one transaction. PG_OK: each has its outcome. */
static enum pg_status
enter(struct held *h, size_t m)
{
	static const enum pg_type types[] = { PG_TEXT, PG_TEXT, PG_TEXT, PG_INT4, PG_INT4, PG_TEXT, PG_TEXT, PG_TEXT };
	struct held *row[ROWS];
	size_t k = 0;
	enum pg_status st;

	pg_args_reset(&args);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		pg_array(&args, types[i]);
	for (size_t i = 0; i < m; i++)
		if (h[i].row) {
			take(&h[i]);
			put_row(&s.rec);
			row[k++] = &h[i];
		}
	st = pg_call(&db, call, &args);
	for (int i = 0; st == PG_OK && i < pg_rows(&db); i++)
		row[pg_i64(&db, i, 0)]->is = strcmp(pg_bytes(&db, i, 1, NULL), "stale") == 0 ? STALE : PASS;
	return st;
}

/* 57014: the time limit; 55P03: an entry that somebody holds; 40: another was first. The rest: no
 * database. */
static bool
busy(enum pg_status st)
{
	return st == PG_RETRY && (strcmp(db.state, "57014") == 0 || strcmp(db.state, "55P03") == 0 || strncmp(db.state, "40", 2) == 0);
}

/* Each for itself, when something was in the batch's way. Where the database takes
 * its time it is not asked for the rest. */
static void
enter_each(void)
{
	bool slow = false;

	for (size_t i = 0; i < n; i++) {
		enum pg_status st;

		if (!held[i].row)
			continue;
		st = slow ? PG_RETRY : enter(&held[i], 1);
		if (st == PG_DATA)
			held[i].is = REFUSED;
		else if (busy(st))
			held[i].is = BUSY;
		else if (st != PG_OK)
			stop(st);
		held[i].why = whys.len;
		buf_add(&whys, db.err, strlen(db.err) + 1);
		slow = slow || (held[i].is == BUSY && strcmp(db.state, "57014") == 0);
	}
}

static void
answer(const struct held *h)
{
	take(h);
	switch (h->is) {
	case STALE:
		stage_error(&s, "stale", false, "this is not the run and attempt of the job that is being processed");
		return;
	case REFUSED: stage_error(&s, "catalog_refused", false, "%s", whys.p + h->why); return;
	case BUSY: stage_error(&s, "ledger_busy", true, "%s", whys.p + h->why); return;
	default: stage_pass(&s); return;
	}
}

/* Answers every line held, in the order in which they came. */
static void
release(void)
{
	uint64_t from = stage_clock(&s), us;
	enum pg_status st = PG_OK;

	if (rows) {
		stage_flush(&s);        /* what is answered need not wait for the ledger */
		st = enter(held, n);
	}
	if (st == PG_DATA || busy(st))
		enter_each();
	else if (st != PG_OK)
		stop(st);
	us = rows ? (stage_clock(&s) - from) / rows : 0;
	for (size_t i = 0; i < n; i++) {
		answer(&held[i]);
		if (held[i].row)
			stage_took(&s, us);
	}
	n = rows = lines.len = whys.len = 0;
}

static void
hold(bool row)
{
	if (n == cap) {
		cap = cap ? cap * 2 : ROWS;
		held = mem_array(held, cap, sizeof *held);
	}
	held[n++] = (struct held){ .at = lines.len, .len = s.rec.len, .row = row };
	rows += row;
	buf_add(&lines, s.rec.p, s.rec.len);
}

static bool
wanted(const struct rec *r)
{
	static struct card card;

	return ledger && !rec_get(r, "error") && !rec_get(r, "wait") && !rec_get(r, "chunk") && card_read(&card, r);
}

static void
line(void)
{
	bool probe = ledger && rec_get(&s.rec, "probe") && rec_get(&s.rec, "error");
	enum pg_status st = probe ? pg_ledger(&db, 0, NULL, NULL) : PG_OK;
	bool row = wanted(&s.rec);

	if (st != PG_OK)
		stop(st);
	if (!row && !n) {
		stage_pass(&s);
		return;
	}
	hold(row);              /* lines keep their order */
	if (rows == ROWS || lines.len >= HELD_MAX)
		release();
}

static void
connect_ledger(const char *conninfo)
{
	enum pg_status st;

	ledger = *conninfo;
	if (!ledger)
		return;
	stage_ledger_open(&s, &db, conninfo, SCHEMA);
	st = pg_call(&db, patience, NULL);
	if (st != PG_OK)
		stop(st);
}

int
main(int argc, char **argv)
{
	const char *conninfo = arg_env("SLUICE_DB", "");
	int c, got;

	err_init("catalog");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+d:l:")) != -1)
		switch (c) {
		case 'd': conninfo = optarg; break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	connect_ledger(conninfo);
	s.settles = s.hint.by_hand = true;
	while ((got = n ? stage_try(&s) : stage_next(&s)) != 0)
		if (got > 0)
			line();
		else
			release();      /* before it waits for more */
	release();
	return stage_end(&s);
}
