/* mentions - what map found, into the ledger. See docs/mentions.1. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "pg.h"
#include "stage_ledger.h"
#include "text/body.h"

#define STAGE "mentions/1"

static const char usage[] = "mentions [-d conninfo] [-l maxbytes]\n"
    "\n"
    "Writes the mentions of each job's \"mapping\" to the ledger, in the place of those\n"
    "that an earlier mapping of the same document left, and adds \"mentions\".\n"
    "\n"
    "  -d conninfo  the ledger (default $SLUICE_DB; empty: none, lines pass)\n"
    "  -l maxbytes  the longest record (default 16M)\n";

enum { SCHEMA = 15, MOST = 1 << 30, BLOB_MAX = 1 << 30 };

static const char call[] = "select mapped, mentions, outcome from sluice.map_document($1, $2, $3, $4, $5, $6, $7, $8,"
    " $9, $10, $11, $12, $13, $14, $15, $16)";

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT;
static struct pg_args args = PG_ARGS_INIT;
static struct blob blobs = BLOB_INIT;
static struct rec mapping = REC_INIT, recall = REC_INIT, items = REC_INIT;

/* A string member, else another, else a third. */
static void
put_text(const struct rec_member *m, const struct rec_member *other, const struct rec_member *third, const char *fallback)
{
	static struct buf v;
	int k = pg_scalar(&args, PG_TEXT);

	v.len = 0;
	if (rec_str(m, &v) == 0 || rec_str(other, &v) == 0 || rec_str(third, &v) == 0)
		pg_put(&args, k, buf_str(&v), v.len);
	else
		pg_puts(&args, k, fallback);
}

static void
put_number(const char *name)
{
	int k = pg_scalar(&args, PG_INT4);
	uint64_t v = 0;

	rec_u64(rec_get(&s.rec, name), &v);
	pg_put_i64(&args, k, v < MOST ? (int64_t)v : MOST);
}

/* Ids between U+001F, or null. */
static int
put_also(int k, const struct rec_member *m)
{
	static struct rec ids = REC_INIT;
	static struct buf v;

	if (!m) {
		pg_put_null(&args, k);
		return 0;
	}
	if (m->type != '[' || rec_items(&ids, m->val, m->val_len) != REC_OK)
		return -1;
	v.len = 0;
	for (size_t i = 0; i < ids.n; i++) {
		if (i)
			buf_addc(&v, '\x1f');
		if (rec_str(&ids.m[i], &v) < 0)
			return -1;
	}
	pg_put(&args, k, buf_str(&v), v.len);
	return 0;
}

/* One mention into the arrays from k on. -1: it is none. */
static int
put_mention(int k, const struct rec_member *item)
{
	static const char *const texts[] = { "vocab", "concept", "name", "text" };
	static struct rec m = REC_INIT;
	static struct buf v;
	uint64_t start, end;

	if (item->type != '{' || rec_parse(&m, item->val, item->val_len) != REC_OK ||
	    rec_u64(rec_get(&m, "start"), &start) < 0 || rec_u64(rec_get(&m, "end"), &end) < 0 || start > end || end > UINT32_MAX)
		return -1;
	pg_put_i64(&args, k, (int64_t)start);
	pg_put_i64(&args, k + 1, (int64_t)end);
	for (int i = 0; i < 4; i++) {
		v.len = 0;
		if (rec_str(rec_get(&m, texts[i]), &v) < 0)
			return -1;
		pg_put(&args, k + 2 + i, buf_str(&v), v.len);
	}
	return put_also(k + 6, rec_get(&m, "also"));
}

/* The array of mentions: in the line, or a blob. 0, or -1 answered. */
static int
get_items(struct buf *bytes)
{
	static struct rec ref = REC_INIT;
	static struct buf hex;
	const struct rec_member *m = rec_get(&mapping, "mentions"), *b = rec_get(&mapping, "mentions_blob");

	bytes->len = hex.len = 0;
	if (m) {
		buf_add(bytes, m->val, m->val_len);
	} else if (!b || b->type != '{' || rec_parse(&ref, b->val, b->val_len) != REC_OK || rec_str(rec_get(&ref, "sha256"), &hex) < 0) {
		stage_error(&s, "bad_mapping", false, "mapping has neither mentions nor mentions_blob");
		return -1;
	} else if (body_blobs(&blobs) < 0 || blob_get(&blobs, buf_str(&hex), BLOB_MAX, bytes) < 0) {
		stage_error(&s, "blob_unavailable", true, "mentions_blob: %s", blob_why());
		return -1;
	}
	if (rec_items(&items, buf_str(bytes), bytes->len) == REC_OK)
		return 0;
	stage_error(&s, "bad_mapping", false, "the mentions are no array");
	return -1;
}

/* Of the text that the document has in the index, where recall says it. */
static void
put_document(const struct buf *bytes)
{
	static struct rec document = REC_INIT;
	const struct rec_member *m = rec_get(&s.rec, "document"), *v = rec_get(&mapping, "vocabs");
	const struct rec_member *sum = rec_get(&recall, "sha256");
	char digest[SHA256_HEX];
	int k;

	if (!sum && m && m->type == '{' && rec_parse(&document, m->val, m->val_len) == REC_OK)
		sum = rec_get(&document, "sha256");
	put_text(rec_get(&s.rec, "tenant"), NULL, NULL, arg_env("SLUICE_TENANT", "default"));
	put_text(rec_get(&recall, "doc_key"), rec_get(&s.rec, "doc_key"), rec_get(&s.rec, "job_id"), "");
	put_text(rec_get(&s.rec, "job_id"), NULL, NULL, "");
	put_number("run");
	put_number("attempt");
	put_text(sum, rec_get(&mapping, "text"), NULL, NULL);
	k = pg_scalar(&args, PG_TEXT);
	pg_put(&args, k, v ? v->val : "[]", v ? v->val_len : 2);
	sha256_hex(bytes->p, bytes->len, digest);
	pg_puts(&args, pg_scalar(&args, PG_TEXT), digest);
	pg_put_i64(&args, pg_scalar(&args, PG_BOOL), rec_is(rec_get(&recall, "outcome"), "found"));
}

static void
answer(void)
{
	static struct buf v;
	struct rec_change c = { .name = "mentions" };

	v.len = 0;
	buf_addf(&v, "{\"mapped\":%" PRId64 ",\"n\":%" PRId64 ",\"stage\":\"" STAGE "\"}", pg_i64(&db, 0, 0), pg_i64(&db, 0, 1));
	c.val = v.p;
	c.len = v.len;
	stage_edit(&s, &c, 1);
}

/* The document was deleted after recall: nothing of it stays in the line either. */
static void
answer_gone(void)
{
	static const char gone[] = "{\"n\":0,\"outcome\":\"gone\",\"stage\":\"" STAGE "\"}";
	static const struct rec_change c[] = { { "mentions", gone, sizeof gone - 1 }, { "mapping", NULL, 0 },
		{ "content", NULL, 0 }, { "content_blob", NULL, 0 } };

	stage_edit(&s, c, sizeof c / sizeof *c);
}

static void
settle(enum pg_status st)
{
	const char *outcome;

	switch (st) {
	case PG_OK:
		outcome = pg_bytes(&db, 0, 2, NULL);
		if (strcmp(outcome, "stale") == 0)
			stage_error(&s, "stale", false, "a newer job, run or attempt has written this document's mentions");
		else if (strcmp(outcome, "gone") == 0)
			answer_gone();
		else
			answer();
		return;
	case PG_DATA: stage_error(&s, "mentions_refused", false, "%s", db.err); return;
	default: stage_ledger_failed(&s, &db, st);
	}
}

static void
job(void)
{
	static const enum pg_type types[] = { PG_INT8, PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT };
	static struct buf bytes;
	const struct rec_member *m = rec_get(&s.rec, "mapping"), *r = rec_get(&s.rec, "recall");
	int first = 0;

	if (m->type != '{' || rec_parse(&mapping, m->val, m->val_len) != REC_OK) {
		stage_error(&s, "bad_mapping", false, "mapping is no object");
		return;
	}
	if (!r || r->type != '{' || rec_parse(&recall, r->val, r->val_len) != REC_OK)
		rec_parse(&recall, "{}", 2);
	if (get_items(&bytes) < 0)
		return;
	pg_args_reset(&args);
	put_document(&bytes);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		int k = pg_array(&args, types[i]);

		first = i ? first : k;
	}
	for (size_t i = 0; i < items.n; i++)
		if (put_mention(first, &items.m[i]) < 0) {
			stage_error(&s, "bad_mapping", false, "mention %zu is not as stream(7) says", i);
			return;
		}
	settle(pg_call(&db, call, &args));
}

int
main(int argc, char **argv)
{
	const char *conninfo = arg_env("SLUICE_DB", "");
	bool ledger;
	int c;

	err_init("mentions");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+d:l:")) != -1)
		switch (c) {
		case 'd': conninfo = optarg; break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	ledger = *conninfo;
	if (ledger)
		stage_ledger_open(&s, &db, conninfo, SCHEMA);
	s.settles = true;
	while (stage_next(&s)) {
		if (stage_ledger_passes(&s, ledger ? &db : NULL))
			continue;
		if (ledger && rec_get(&s.rec, "mapping"))
			job();
		else
			stage_pass(&s);
	}
	return stage_end(&s);
}
