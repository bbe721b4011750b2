#include "index/hit.h"

#include "json.h"

enum pg_status
hit_rows(struct pg *db, const struct rank *r, const struct rank_query *q)
{
	static struct pg_args a = PG_ARGS_INIT;
	int document, i;

	pg_args_reset(&a);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->tenant);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->words);
	document = pg_array(&a, PG_INT8);
	i = pg_array(&a, PG_INT4);
	for (size_t k = 0; k < r->n; k++) {
		pg_put_i64(&a, document, r->h[k].document);
		pg_put_i64(&a, i, r->h[k].i);
	}
	return pg_call(db, "select document, i, doc_key, job_id, title, language, content_type, chunks,"
	    " start, \"end\", body, marked, page, page_to, path, kind from sluice.search_show($1, $2, $3, $4)", &a);
}

int
hit_row(const struct pg *db, const struct rank_hit *h)
{
	for (int row = 0; row < pg_rows(db); row++)
		if (pg_i64(db, row, HIT_DOCUMENT) == h->document && pg_i64(db, row, HIT_I) == h->i)
			return row;
	return -1;
}

static void
text_member(struct buf *b, const struct pg *db, const char *name, int row, int col)
{
	size_t len;
	const char *p = pg_bytes(db, row, col, &len);

	if (pg_null(db, row, col))
		return;
	buf_addf(b, ",\"%s\":", name);
	json_quote(b, p, len);
}

/* Its page, or its first and last; the path as the ledger has it, which is JSON. */
static void
place_members(struct buf *b, const struct pg *db, int row)
{
	size_t len;
	const char *p = pg_bytes(db, row, HIT_PATH, &len);

	if (!pg_null(db, row, HIT_PAGE))
		buf_addf(b, ",\"page\":%lld", (long long)pg_i64(db, row, HIT_PAGE));
	if (!pg_null(db, row, HIT_PAGE_TO))
		buf_addf(b, ",\"pages\":[%lld,%lld]", (long long)pg_i64(db, row, HIT_PAGE),
		    (long long)pg_i64(db, row, HIT_PAGE_TO));
	if (!pg_null(db, row, HIT_PATH)) {
		buf_adds(b, ",\"path\":");
		buf_add(b, p, len);
	}
	text_member(b, db, "kind", row, HIT_KIND);
}

void
hit_json(struct buf *b, const struct pg *db, int row, const struct rank_hit *h, size_t rank)
{
	buf_addf(b, "{\"rank\":%zu,\"score\":%.4f,\"words\":%.4f,\"cosine\":%.4f,\"document\":%lld",
	    rank, (double)h->score, (double)h->words, (double)h->cosine, (long long)h->document);
	text_member(b, db, "doc_key", row, HIT_DOC_KEY);
	text_member(b, db, "title", row, HIT_TITLE);
	text_member(b, db, "language", row, HIT_LANGUAGE);
	text_member(b, db, "content_type", row, HIT_TYPE);
	text_member(b, db, "job_id", row, HIT_JOB_ID);
	buf_addf(b, ",\"chunk\":{\"i\":%d,\"n\":%lld,\"start\":%lld,\"end\":%lld", h->i,
	    (long long)pg_i64(db, row, HIT_CHUNKS), (long long)pg_i64(db, row, HIT_START),
	    (long long)pg_i64(db, row, HIT_END));
	place_members(b, db, row);
	text_member(b, db, "text", row, HIT_BODY);
	buf_adds(b, "}}");
}
