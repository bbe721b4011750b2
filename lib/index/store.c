#include "index/store.h"

#include <inttypes.h>
#include <string.h>

#include "arg.h"
#include "b64.h"
#include "index/rows.h"

enum { SCHEMA = 12 };

static const char call[] =
    "select document, chunks, outcome from sluice.index_document($1, $2, $3, $4, $5, $6, $7, $8, $9,"
    " $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)";

enum pg_status
store_open(struct pg *db, const char *conninfo, unsigned wait_ms)
{
	enum pg_status st = pg_open(db, conninfo, wait_ms);

	if (st == PG_OK)
		st = pg_ledger(db, SCHEMA, NULL, NULL);
	if (st == PG_OK)
		st = pg_call(db, "set statement_timeout = '60s'", NULL);
	return st;
}

/* A string member's bytes; fallback where there is none. */
static void
put_text(struct pg_args *a, const struct rec *r, const char *name, const char *fallback)
{
	static struct buf s;
	int k = pg_scalar(a, PG_TEXT);

	s.len = 0;
	if (rec_str(rec_get(r, name), &s) == 0)
		pg_put(a, k, s.p ? s.p : "", s.len);
	else
		pg_puts(a, k, fallback);
}

static void
put_number(struct pg_args *a, const struct rec *r, const char *name, enum pg_type type)
{
	int k = pg_scalar(a, type);
	uint64_t v = 0;

	rec_u64(rec_get(r, name), &v);
	pg_put_i64(a, k, v < ROWS_MOST ? (int64_t)v : ROWS_MOST);
}

void
store_key(struct buf *key, const struct rec *line)
{
	key->len = 0;
	if (rec_str(rec_get(line, "doc_key"), key) < 0 && rec_get(line, "dataset") && rec_get(line, "id") &&
	    rec_str(rec_get(line, "dataset"), key) == 0) {
		buf_addc(key, ':');
		if (rec_str(rec_get(line, "id"), key) < 0)
			key->len = 0;
	}
	if (!key->len)
		rec_str(rec_get(line, "job_id"), key);
}

static void
put_doc_key(struct pg_args *a, const struct rec *line)
{
	static struct buf key;

	store_key(&key, line);
	pg_put(a, pg_scalar(a, PG_TEXT), key.p, key.len);
}

/* The record's own members: parameters 1 to 10. */
static void
put_document(struct pg_args *a, const struct rec *line)
{
	static struct rec none = REC_INIT, doc = REC_INIT;
	const struct rec_member *m = rec_get(line, "document");
	const struct rec *d = &none;

	if (m && m->type == '{' && rec_parse(&doc, m->val, m->val_len) == REC_OK)
		d = &doc;
	put_text(a, line, "tenant", arg_env("SLUICE_TENANT", "default"));
	put_doc_key(a, line);
	put_text(a, line, "job_id", NULL);
	put_number(a, line, "run", PG_INT4);
	put_number(a, line, "attempt", PG_INT4);
	put_text(a, d, "title", NULL);
	put_text(a, d, "language", NULL);
	put_text(a, d, "content_type", NULL);
	put_number(a, d, "length", PG_INT8);
	put_text(a, d, "sha256", NULL);
}

static void
answer(struct buf *out, struct pg *db, uint64_t nuls)
{
	buf_addf(out, "{\"document\":%" PRId64 ",\"chunks\":%" PRId64, pg_i64(db, 0, 0), pg_i64(db, 0, 1));
	if (nuls)
		buf_addf(out, ",\"replaced_nul\":%" PRIu64, nuls);
	buf_adds(out, ",\"stage\":\"index/1\"}");
}

/* What the database's answer means for the job. */
static enum store_status
judge(struct pg *db, enum pg_status st, uint64_t nuls, struct buf *out)
{
	size_t len;

	switch (st) {
	case PG_OK:
		if (strcmp(pg_bytes(db, 0, 2, &len), "stale") != 0) {
			answer(out, db, nuls);
			return STORE_OK;
		}
		buf_adds(out, "a newer job, run or attempt has written this document");
		return STORE_STALE;
	case PG_DATA:
		buf_adds(out, db->err);
		return STORE_REFUSED;
	case PG_RETRY:
		buf_adds(out, db->err);
		/* 57014: the time limit; 40: another was first. The rest: no database. */
		return strcmp(db->state, "57014") == 0 || strncmp(db->state, "40", 2) == 0 ?
		    STORE_LATER : STORE_DOWN;
	default:
		buf_adds(out, db->err);
		return STORE_DOWN;
	}
}

enum store_status
store_job(struct pg *db, const struct rec *line, const struct fold_job *j, bool words_only,
    struct buf *out, enum pg_status *why)
{
	static struct pg_args a = PG_ARGS_INIT;
	static struct rec item = REC_INIT;
	static struct buf model;
	char digest[SHA256_HEX];
	int model_arg, digest_arg, got = 0;
	struct rows r;
	uint64_t nuls = 0;
	size_t k;

	pg_args_reset(&a);
	put_document(&a, line);
	model_arg = pg_scalar(&a, PG_TEXT);
	digest_arg = pg_scalar(&a, PG_TEXT);
	rows_begin(&a, &r);
	model.len = 0;
	for (k = 0; k < j->n && got >= 0; k++) {
		got = rec_parse(&item, j->items.p + j->item[k].at, j->item[k].len) == REC_OK ?
		    rows_add(&a, &r, &item, &model, &nuls) : -1;
		if (got < 0 || (got > 0 && !words_only)) {
			buf_addf(out, got < 0 ? "chunk %zu or its embedding is not as stream(7) says" :
			    "chunk %zu has no embedding", k);
			return got < 0 ? STORE_BAD : STORE_NO_EMBEDDING;
		}
	}
	pg_put(&a, model_arg, model.p ? model.p : "", model.len);
	sha256_hex(j->items.p ? j->items.p : "", j->items.len, digest);
	pg_puts(&a, digest_arg, digest);
	*why = pg_call(db, call, &a);
	return judge(db, *why, nuls, out);
}
