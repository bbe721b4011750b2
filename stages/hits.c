/* hits - questions in, the passages that answer them out: search as a filter. See
 * docs/hits.1. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "embed/embedder.h"
#include "embed/where.h"
#include "err.h"
#include "index/hit.h"
#include "index/store.h"
#include "stage.h"

static const char usage[] = "hits [-m folder]\n"
    "\n"
    "Reads lines with \"query\" and adds \"hits\", the indexed passages that answer it\n"
    "best; \"tenant\", \"limit\", \"doc_key\", \"share\" and \"passages\" as in search's options.\n"
    "\n"
    "  -m folder   the model ($SLUICE_MODEL, else .deps/model/" WHERE_MODEL ")\n"
    "\n"
    "The ledger is $SLUICE_DB.\n";

enum { WAIT_MS = 2000, LIMIT = 5, LIMIT_MAX = 1000, QUERY_MAX = 8192 };

struct question {
	struct rank_query q;
	struct buf words, tenant, doc_key;
	uint64_t limit;
	bool passages;
};

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT;
static struct embedder model;

/* A string member; NULs become spaces: neither the ledger nor the model has any. 1: there
 * is one, 0: none, -1: it is no string or too long. */
static int
string(const char *name, struct buf *b, size_t max)
{
	const struct rec_member *m = rec_get(&s.rec, name);

	b->len = 0;
	if (!m || m->type == 'n')
		return 0;
	if (rec_str(m, b) < 0 || b->len > max)
		return -1;
	for (size_t i = 0; i < b->len; i++)
		if (!b->p[i])
			b->p[i] = ' ';
	buf_str(b);
	return 1;
}

static int
share(double *a)
{
	const struct rec_member *m = rec_get(&s.rec, "share");
	char text[32], *end;

	if (!m || m->type == 'n')
		return 0;
	if (m->type != '0' || m->val_len >= sizeof(text))
		return -1;
	memcpy(text, m->val, m->val_len);
	text[m->val_len] = '\0';
	*a = strtod(text, &end);
	return *end || *a < 0 || *a > 1 ? -1 : 1;
}

/* NULL, or what is wrong with it. */
static const char *
read_question(struct question *q)
{
	const struct rec_member *limit = rec_get(&s.rec, "limit"), *passages = rec_get(&s.rec, "passages");

	q->q = (struct rank_query){ .model = WHERE_MODEL, .a = 0.5 };
	q->limit = LIMIT;
	q->passages = false;
	if (string("query", &q->words, QUERY_MAX) != 1 || !q->words.len)
		return "\"query\" must be a string of 1 to 8192 bytes";
	if (string("tenant", &q->tenant, 64) < 0)
		return "\"tenant\" must be a string of at most 64 bytes";
	if (string("doc_key", &q->doc_key, 512) < 0)
		return "\"doc_key\" must be a string of at most 512 bytes";
	if (limit && limit->type != 'n' && (rec_u64(limit, &q->limit) < 0 || q->limit < 1 || q->limit > LIMIT_MAX))
		return "\"limit\" must be a whole number from 1 to 1000";
	if (passages && passages->type != 'n' && rec_bool(passages, &q->passages) < 0)
		return "\"passages\" must be true or false";
	if (share(&q->q.a) < 0)
		return "\"share\" must be a number from 0 to 1";
	q->q.words = q->words.p;
	q->q.tenant = q->tenant.len ? q->tenant.p : arg_env("SLUICE_TENANT", "default");
	q->q.doc_key = q->doc_key.len ? q->doc_key.p : NULL;
	return NULL;
}

/* The ledger did not answer this one. Where it never will, that is the end. */
static void
failed(enum pg_status st)
{
	bool again = st == PG_RETRY || st == PG_LOST;

	stage_error(&s, st == PG_DATA ? "bad_query" : again ? "ledger_busy" : "ledger_refuses", again, "%s", db.err);
	if (st == PG_DATA || st == PG_RETRY)
		return;
	stage_flush(&s);
	die(pg_exit(st), "ledger: %s", db.err);
}

static void
answer(const struct rank *r)
{
	static struct buf hits;
	struct rec_change c = { .name = "hits" };
	size_t n = 0;

	hits.len = 0;
	buf_addc(&hits, '[');
	for (size_t k = 0; k < r->n; k++) {
		int row = hit_row(&db, &r->h[k]);

		if (row < 0)
			continue;
		if (n++)
			buf_addc(&hits, ',');
		hit_json(&hits, &db, row, &r->h[k], n);
	}
	buf_addc(&hits, ']');
	c.val = hits.p;
	c.len = hits.len;
	stage_edit(&s, &c, 1);
}

static void
ask(void)
{
	static struct question q;
	static struct buf vector;
	static struct rank r = RANK_INIT;
	const char *bad = read_question(&q);
	struct text t = { .p = q.words.p, .len = q.words.len };
	enum pg_status st;
	struct fault f;

	if (bad) {
		stage_error(&s, "bad_query", false, "%s", bad);
		return;
	}
	vector.len = 0;
	if (embedder_run(&model, &t, 1, (float *)(void *)buf_room(&vector, model.dim * sizeof(float)), &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s", f.text);
	q.q.vector = (const float *)(const void *)vector.p;
	q.q.dim = model.dim;
	st = rank_run(&r, &db, &q.q);
	if (st == PG_OK) {
		rank_cut(&r, q.limit, q.passages);
		st = hit_rows(&db, &r, &q.q);
	}
	if (st == PG_OK)
		answer(&r);
	else
		failed(st);
}

/* Whoever asks whether we would answer: then the ledger must. */
static void
probe(void)
{
	enum pg_status st = pg_ledger(&db, 1, NULL, NULL);

	if (st != PG_OK)
		failed(st);
	else
		stage_pass(&s);
}

int
main(int argc, char **argv)
{
	const char *folder = NULL, *conninfo = arg_env("SLUICE_DB", "");
	struct buf dir = BUF_INIT;
	enum pg_status st;
	bool is_probe;
	struct fault f;
	int c;

	err_init("hits");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+m:")) != -1)
		switch (c) {
		case 'm': folder = optarg; break;
		default: die_usage(usage);
		}
	if (argv[optind])
		die_usage(usage);
	if (!conninfo[0])
		die(XPERM, "SLUICE_DB names no ledger: see sluice up");
	where_model(&dir, folder);
	if (embedder_open(&model, buf_str(&dir), 0, &f) < 0)
		die(f.temp ? XTEMP : XPERM, "%s%s", f.text, f.temp ? "" : " (run 'make deps' to fetch the model)");
	st = store_open(&db, conninfo, WAIT_MS);
	if (st != PG_OK)
		die(pg_exit(st), "ledger: %s", db.err);
	s.settles = true;       /* a line is a question, whatever it carries */
	while (stage_next(&s)) {
		if (rec_bool(rec_get(&s.rec, "probe"), &is_probe) == 0 && is_probe)
			probe();
		else
			ask();
		stage_flush(&s);        /* who waits for this one need not wait for the next */
	}
	buf_free(&dir);
	embedder_close(&model);
	return stage_end(&s);
}
