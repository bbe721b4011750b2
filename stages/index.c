/* index - folds a job's chunks into its line and, with a ledger, makes them
 * searchable. See docs/index.1. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "index/fold.h"
#include "index/store.h"
#include "pg.h"
#include "stage.h"

static const char usage[] = "index [-t] [-d conninfo] [-l maxbytes] [-m maxbytes]\n"
    "\n"
    "Collects chunk lines until their job's line comes and puts out that one line.\n"
    "With a ledger the document becomes searchable and the vectors stay there;\n"
    "without one they are folded into the line.\n"
    "\n"
    "  -d conninfo  the ledger (default $SLUICE_DB; empty: none)\n"
    "  -t           chunks without an embedding are indexed by their words\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "  -m maxbytes  the chunks of all open jobs together (default 512M)\n";

enum { WAIT_MS = 3000 };

static struct stage s = STAGE_INIT;
static struct fold fold = { .max = (size_t)512 << 20 };
static struct pg db = PG_INIT;
static bool ledger, words_only;

/* The job's line with its error, and with all its chunks where they are
 * complete, so that another attempt need not make them again. */
static void
fail(const char *error, size_t len, const struct rec *chunks, const struct fold_job *j)
{
	static struct buf kept, line;
	struct rec_change c[2] = { { "error", error, len }, { .name = "chunks" } };

	kept.len = line.len = 0;
	fold_chunks(&kept, chunks, j);
	c[1].val = kept.p;
	c[1].len = kept.len;
	rec_edit(&line, &s.rec, c, 2);
	if (line.len > s.in.max) {
		line.len = 0;
		rec_edit(&line, &s.rec, c, 1);
	}
	s.failed++;
	if (out_rec(&s.out, line.p, line.len) < 0)
		die_sys(XTEMP, "write stdout");
}

static void
fail_with(const char *code, bool retry, const char *message, const struct rec *chunks,
    const struct fold_job *j)
{
	static struct buf error;

	error.len = 0;
	stage_error_json(&error, code, retry, 0, message);
	fail(error.p, error.len, chunks, j);
}

static void
fold_in(const struct rec *chunks, const struct fold_job *j)
{
	static struct buf folded;
	struct rec_change c = { .name = "chunks" };

	folded.len = 0;
	fold_chunks(&folded, chunks, j);
	c.val = folded.p;
	c.len = folded.len;
	stage_edit(&s, &c, 1);
}

static void
store(const struct rec *chunks, const struct fold_job *j)
{
	static struct buf index, counts;
	struct rec_change c[2] = { { .name = "chunks" }, { .name = "index" } };
	enum pg_status why;

	index.len = counts.len = 0;
	switch (store_job(&db, &s.rec, j, words_only, &index, &why)) {
	case STORE_OK:
		fold_chunks(&counts, chunks, NULL);
		c[0].val = counts.p;
		c[0].len = counts.len;
		c[1].val = index.p;
		c[1].len = index.len;
		stage_edit(&s, c, 2);
		return;
	case STORE_STALE: fail_with("stale", false, buf_str(&index), chunks, NULL); return;
	case STORE_NO_EMBEDDING: fail_with("no_embedding", false, buf_str(&index), chunks, NULL); return;
	case STORE_BAD: fail_with("bad_chunk", false, buf_str(&index), chunks, NULL); return;
	case STORE_REFUSED: fail_with("index_refused", false, buf_str(&index), chunks, NULL); return;
	case STORE_LATER: fail_with("index_busy", true, buf_str(&index), chunks, j); return;
	case STORE_DOWN: stage_flush(&s); die(pg_exit(why), "ledger: %s", buf_str(&index));
	}
}

/* A job's line that has "chunks" and no error yet. */
static void
settle(struct fold_job *j, const struct rec *chunks)
{
	uint64_t n = 0;
	char why[128];

	if (rec_u64(rec_get(chunks, "n"), &n) < 0)
		stage_error(&s, "bad_chunk", false, "chunks.n is no number");
	else if (j->too_large)
		stage_error(&s, "too_large", false,
		    "the job's %" PRIu64 " chunks take more than %zu bytes", n, fold.max);
	else if (fold_complete(j, n, why, sizeof(why)) < 0)
		stage_error(&s, "incomplete", true, "%s", why);
	else if (j->error.len)
		fail(j->error.p, j->error.len, chunks, j);
	else if (ledger)
		store(chunks, j);
	else
		fold_in(chunks, j);
}

/* Passes on, with the chunks in it where there are any, a line that failed
 * before it came here. */
static void
pass_failed(struct fold_job *j, const struct rec *chunks)
{
	uint64_t n;
	char why[128];

	if (!j || !chunks || j->too_large || rec_u64(rec_get(chunks, "n"), &n) < 0 ||
	    fold_complete(j, n, why, sizeof(why)) < 0)
		stage_pass(&s);
	else
		fold_in(chunks, j);
}

static void
probe(void)
{
	enum pg_status st = ledger ? pg_ledger(&db, 0, NULL, NULL) : PG_OK;

	if (st != PG_OK)
		die(pg_exit(st), "ledger: %s", db.err);
	stage_pass(&s);
}

static void
job_line(void)
{
	static struct rec chunks = REC_INIT;
	const struct rec_member *m = rec_get(&s.rec, "chunks");
	struct fold_job *j = fold_find(&fold, &s.rec);
	bool has = m && m->type == '{' && rec_parse(&chunks, m->val, m->val_len) == REC_OK;

	if (rec_get(&s.rec, "probe") && rec_get(&s.rec, "error"))
		probe();
	else if (rec_get(&s.rec, "error") || rec_get(&s.rec, "wait"))
		pass_failed(j, has ? &chunks : NULL);
	else if (!has && !ledger)
		stage_pass(&s);
	else if (!has)
		stage_error(&s, "no_chunks", false, "the job has no chunks to index");
	else if (!j && rec_get(&s.rec, "index") && !rec_get(&chunks, "items"))
		stage_pass(&s);
	else if (!(j = fold_open(&fold, &s.rec)))
		stage_error(&s, "bad_record", false, "job_id is missing");
	else if (!j->n && !j->too_large && rec_get(&chunks, "items") &&
	    fold_unfold(&fold, j, &chunks) < 0)
		stage_error(&s, "bad_chunk", false, "chunks.items is no array of chunks");
	else
		settle(j, &chunks);
	fold_close(&fold, fold_find(&fold, &s.rec));
}

static void
connect_ledger(const char *conninfo)
{
	enum pg_status st;

	ledger = conninfo[0] != '\0';
	if (!ledger)
		return;
	st = store_open(&db, conninfo, WAIT_MS);
	if (st != PG_OK)
		die(pg_exit(st), "ledger: %s", db.err);
}

int
main(int argc, char **argv)
{
	const char *conninfo = arg_env("SLUICE_DB", "");
	int c;

	err_init("index");
	arg_help(argc, argv, usage);
	s.settles = true;
	while ((c = getopt(argc, argv, "+d:l:m:t")) != -1)
		switch (c) {
		case 'd': conninfo = optarg; break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': fold.max = arg_ulong("-m", optarg, 1, (unsigned long)1 << 40); break;
		case 't': words_only = true; break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	connect_ledger(conninfo);
	while (stage_next(&s)) {
		if (!rec_get(&s.rec, "chunk"))
			job_line();
		else if (fold_chunk(&fold, &s.rec) < 0 && s.bad++ < 10)
			warn("a chunk without job_id or chunk.i is left out: line=%" PRIu64, s.seen);
	}
	if (fold.jobs)
		warn("the input ended between a job's chunks and its line: they are dropped");
	return stage_end(&s);
}
