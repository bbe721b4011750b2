/* recall - the text of a document that an earlier job indexed. See docs/recall.1. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "json.h"
#include "pg.h"
#include "stage_ledger.h"
#include "text/body.h"

#define STAGE "recall/1"

static const char usage[] = "recall [-d conninfo] [-l maxbytes]\n"
    "\n"
    "Gets the text of the document that the job named by \"document_of\" indexed, and\n"
    "adds \"recall\" and \"content\". Lines without \"document_of\" pass.\n"
    "\n"
    "  -d conninfo  the ledger (default $SLUICE_DB)\n"
    "  -l maxbytes  the longest record (default 16M)\n";

enum { SCHEMA = 13, MOST = 1 << 30 };
/* Columns of what sluice.recall returns. */
enum { OUTCOME, SUPERSEDED_BY, DOC_KEY, TITLE, LANGUAGE, SHA256, BYTES, START, STOP, BODY };

static const char call[] = "select outcome, superseded_by, doc_key, title, language, sha256, bytes, start, stop, body"
    " from sluice.recall($1, $2, $3)";

static struct stage s = STAGE_INIT;
static struct pg db = PG_INIT;
static struct blob blobs = BLOB_INIT;

static void
put_member(struct pg_args *a, const char *name, const char *fallback)
{
	static struct buf v;
	int k = pg_scalar(a, PG_TEXT);

	v.len = 0;
	if (rec_str(rec_get(&s.rec, name), &v) == 0)
		pg_put(a, k, buf_str(&v), v.len);
	else
		pg_puts(a, k, fallback);
}

/* A NUL of the text is U+FFFD in the ledger; it gets its one byte back, as a space. Where
 * the text had such characters besides, nobody knows which: all of it is blank then.
 * -1: other bytes are missing. */
static int
mend(struct buf *body, size_t want)
{
	char *p = body->p, *end = body->p + body->len, *to = p;
	size_t was = body->len;

	while (p < end) {
		if (end - p >= 3 && memcmp(p, "\xef\xbf\xbd", 3) == 0) {
			*to++ = ' ';
			p += 3;
		} else {
			*to++ = *p++;
		}
	}
	body->len = (size_t)(to - body->p);
	if (body->len == want)
		return 0;
	if (body->len > want || was < want || (was - want) % 2)
		return -1;
	memset(body->p, ' ', want);
	body->len = want;
	return 0;
}

/* The chunks in their order, where they overlap once, white space where there is none.
 * Offsets in it are offsets in the document's text. -1: it can't be. */
static int
join(struct buf *text)
{
	static struct buf body;
	int64_t most = pg_i64(&db, 0, BYTES) > 0 ? pg_i64(&db, 0, BYTES) : MOST;

	for (int i = 1; i < pg_rows(&db); i++) {
		int64_t from = pg_i64(&db, i, START), to = pg_i64(&db, i, STOP);
		size_t len, skip;
		const char *p = pg_bytes(&db, i, BODY, &len);

		if (from < 0 || to < from || to > most)
			return -1;
		while (text->len < (size_t)from)
			buf_addc(text, '\n');
		body.len = 0;
		buf_add(&body, p, len);
		if (len != (size_t)(to - from) && mend(&body, (size_t)(to - from)) < 0)
			return -1;
		skip = text->len - (size_t)from;
		if (skip < body.len)
			buf_add(text, body.p + skip, body.len - skip);
	}
	return 0;
}

static void
add_string(struct buf *out, const char *name, int col)
{
	size_t len;
	const char *p = pg_bytes(&db, 0, col, &len);

	if (pg_null(&db, 0, col))
		return;
	buf_addf(out, ",\"%s\":", name);
	json_quote(out, p, len);
}

/* The member "recall", and the text where it was found. */
static void
answer(const struct buf *text)
{
	static struct buf about, content, ref;
	struct rec_change c[3] = { { .name = "recall" }, { .name = "content" }, { .name = "content_blob" } };
	char hex[SHA256_HEX];

	about.len = content.len = ref.len = 0;
	buf_adds(&about, "{\"outcome\":");
	json_quotes(&about, pg_bytes(&db, 0, OUTCOME, NULL));
	add_string(&about, "superseded_by", SUPERSEDED_BY);
	add_string(&about, "doc_key", DOC_KEY);
	add_string(&about, "title", TITLE);
	add_string(&about, "language", LANGUAGE);
	add_string(&about, "sha256", SHA256);
	buf_adds(&about, ",\"stage\":\"" STAGE "\"}");
	c[0].val = about.p;
	c[0].len = about.len;
	if (!text) {
		stage_edit(&s, c, 1);
		return;
	}
	json_quote(&content, text->p ? text->p : "", text->len);
	if (s.rec.len + about.len + content.len + 64 <= s.in.max) {
		c[1].val = content.p;
		c[1].len = content.len;
	} else if (!arg_env("SLUICE_BLOBS", NULL)) {
		stage_error(&s, "too_large", false, "the record with its text is over %zu bytes and SLUICE_BLOBS is not set", s.in.max);
		return;
	} else if (body_blobs(&blobs) < 0 || blob_put(&blobs, text->p, text->len, hex) < 0) {
		stage_error(&s, "blob_unavailable", true, "SLUICE_BLOBS: %s", blob_why());
		return;
	} else {
		buf_addf(&ref, "{\"sha256\":\"%s\",\"length\":%zu}", hex, text->len);
		c[2].val = ref.p;
		c[2].len = ref.len;
	}
	stage_edit(&s, c, 3);
}

static void
job(void)
{
	static struct pg_args a = PG_ARGS_INIT;
	static struct buf text;
	const char *outcome;
	enum pg_status st;

	if (rec_get(&s.rec, "recall") && (rec_get(&s.rec, "content") || rec_get(&s.rec, "content_blob"))) {
		stage_pass(&s);         /* from an earlier attempt */
		return;
	}
	pg_args_reset(&a);
	put_member(&a, "tenant", arg_env("SLUICE_TENANT", "default"));
	put_member(&a, "document_of", NULL);
	put_member(&a, "doc_key", NULL);
	st = pg_call(&db, call, &a);
	if (st == PG_DATA) {
		stage_error(&s, "bad_source", false, "document_of: %s", db.err);
		return;
	}
	if (st != PG_OK) {
		stage_ledger_failed(&s, &db, st);
		return;
	}
	outcome = pg_bytes(&db, 0, OUTCOME, NULL);
	text.len = 0;
	if (strcmp(outcome, "unknown") == 0)
		stage_error(&s, "unknown_job", false, "document_of: the ledger knows no such job");
	else if (strcmp(outcome, "found") != 0)
		answer(NULL);
	else if (join(&text) < 0)
		stage_error(&s, "no_text", false, "the document's chunks in the ledger are not its text");
	else
		answer(&text);
}

int
main(int argc, char **argv)
{
	const char *conninfo = arg_env("SLUICE_DB", "");
	int c;

	err_init("recall");
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
	if (!*conninfo)
		die(XPERM, "no ledger is named: -d, or SLUICE_DB");
	stage_ledger_open(&s, &db, conninfo, SCHEMA);
	s.settles = true;
	while (stage_next(&s)) {
		if (stage_ledger_passes(&s, &db))
			continue;
		if (rec_get(&s.rec, "document_of"))
			job();
		else
			stage_pass(&s);
	}
	return stage_end(&s);
}
