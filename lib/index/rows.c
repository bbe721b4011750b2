#include "index/rows.h"

#include <string.h>

#include "b64.h"

/* A chunk's vector, out of its embedding; the model's name the first time.
 * 1: it has none; -1: it is not as it should be. */
static int
put_vector(struct pg_args *a, int k, const struct rec *item, struct buf *model)
{
	static struct rec e = REC_INIT;
	static struct buf f32;
	const struct rec_member *m = rec_get(item, "embedding"), *v;
	uint64_t dim;

	if (!m) {
		pg_put_null(a, k);
		return 1;
	}
	f32.len = 0;
	if (m->type != '{' || rec_parse(&e, m->val, m->val_len) != REC_OK ||
	    rec_u64(rec_get(&e, "dim"), &dim) < 0 || !(v = rec_get(&e, "f32")) || v->type != '"' ||
	    b64_decode(&f32, v->val + 1, v->val_len - 2) < 0 || f32.len != 4 * dim || !dim)
		return -1;
	if (!model->len && rec_str(rec_get(&e, "model"), model) < 0)
		return -1;
	pg_put(a, k, f32.p, f32.len);
	return 0;
}

void
rows_begin(struct pg_args *a, struct rows *r)
{
	r->i = pg_array(a, PG_INT4);
	r->start = pg_array(a, PG_INT8);
	r->end = pg_array(a, PG_INT8);
	r->tokens = pg_array(a, PG_INT4);
	r->body = pg_array(a, PG_TEXT);
	r->f32 = pg_array(a, PG_BYTEA);
	r->page = pg_array(a, PG_INT4);
	r->page_to = pg_array(a, PG_INT4);
	r->path = pg_array(a, PG_TEXT);
	r->kind = pg_array(a, PG_TEXT);
	r->head = pg_array(a, PG_TEXT);
}

static void
put_page(struct pg_args *a, int k, const struct rec_member *m)
{
	uint64_t v;

	if (rec_u64(m, &v) == 0 && v && v <= ROWS_MOST)
		pg_put_i64(a, k, (int64_t)v);
	else
		pg_put_null(a, k);
}

/* On which pages and in which section a chunk stands, if it says so. The path stays JSON,
 * as it came. */
static void
put_place(struct pg_args *a, const struct rows *r, const struct rec *item)
{
	static struct rec pages = REC_INIT;
	const struct rec_member *m = rec_get(item, "pages"), *path = rec_get(item, "path");

	put_page(a, r->page, rec_get(item, "page"));
	if (m && m->type == '[' && rec_items(&pages, m->val, m->val_len) == REC_OK && pages.n == 2)
		put_page(a, r->page_to, &pages.m[1]);
	else
		pg_put_null(a, r->page_to);
	if (path && path->type == '[')
		pg_put(a, r->path, path->val, path->val_len);
	else
		pg_put_null(a, r->path);
	if (rec_is(rec_get(item, "kind"), "table"))
		pg_puts(a, r->kind, "table");
	else
		pg_put_null(a, r->kind);
}

/* How many bytes of a chunk's text were put before what lies at its offsets. -1: it
 * can't be so many. */
static int64_t
head_of(const struct rec *item, size_t len)
{
	static struct rec head = REC_INIT;
	const struct rec_member *m = rec_get(item, "head");
	uint64_t from, to;

	if (!m)
		return 0;
	if (m->type != '[' || rec_items(&head, m->val, m->val_len) != REC_OK || head.n != 2 ||
	    rec_u64(&head.m[0], &from) < 0 || rec_u64(&head.m[1], &to) < 0 || to < from || to - from > len)
		return -1;
	return (int64_t)(to - from);
}

int
rows_add(struct pg_args *a, const struct rows *r, const struct rec *item, struct buf *model,
    uint64_t *nuls)
{
	static struct buf body;
	uint64_t i, start, end, tokens = 0;
	int64_t head;
	const char *p;

	body.len = 0;
	if (rec_u64(rec_get(item, "i"), &i) < 0 || rec_u64(rec_get(item, "start"), &start) < 0 ||
	    rec_u64(rec_get(item, "end"), &end) < 0 || rec_str(rec_get(item, "text"), &body) < 0)
		return -1;
	rec_u64(rec_get(item, "tokens"), &tokens);
	if ((head = head_of(item, body.len)) < 0)
		return -1;
	if (i > ROWS_MOST || start > ROWS_MOST || end > ROWS_MOST || tokens > ROWS_MOST)
		return -1;
	for (p = body.p; body.len && (p = memchr(p, 0, (size_t)(body.p + body.len - p))); p++)
		++*nuls;
	pg_put_i64(a, r->i, (int64_t)i);
	pg_put_i64(a, r->start, (int64_t)start);
	pg_put_i64(a, r->end, (int64_t)end);
	pg_put_i64(a, r->tokens, (int64_t)tokens);
	pg_put(a, r->body, buf_str(&body) + head, body.len - (size_t)head);
	if (head)
		pg_put(a, r->head, body.p, (size_t)head);
	else
		pg_put_null(a, r->head);
	put_place(a, r, item);
	return put_vector(a, r->f32, item, model);
}
