#include "index/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vectors are read as they lie in memory");

static struct rank_hit *
add(struct rank *r, int64_t document, int32_t i)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 1024;
		r->h = mem_array(r->h, r->cap, sizeof(*r->h));
	}
	r->h[r->n] = (struct rank_hit){ .document = document, .i = i };
	return &r->h[r->n++];
}

static int
by_place(const struct rank_hit *x, int64_t document, int32_t i)
{
	if (x->document != document)
		return x->document < document ? -1 : 1;
	return x->i < i ? -1 : x->i > i;
}

static int
by_score(const void *a, const void *b)
{
	const struct rank_hit *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return by_place(x, y->document, y->i);
}

/* words: the chunks that hold one of the query's words, in order of place. */
static enum pg_status
read_words(struct rank *words, struct pg *db, const struct rank_query *q)
{
	static struct pg_args a = PG_ARGS_INIT;
	enum pg_status st;
	int k;

	pg_args_reset(&a);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->tenant);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->doc_key);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), q->words);
	st = pg_call(db, "select document, i, score from sluice.search_text($1, $2, $3)", &a);
	for (k = 0; st == PG_OK && k < pg_rows(db); k++)
		add(words, pg_i64(db, k, 0), (int32_t)pg_i64(db, k, 1))->words = (float)pg_f64(db, k, 2);
	return st;
}

/* Of vectors that need not have norm 1: whoever wrote them is not our embed. */
static float
cosine(const float *q, const char *f32, size_t dim)
{
	double dot = 0, norm = 0;
	size_t k;

	for (k = 0; k < dim; k++) {
		float x;

		memcpy(&x, f32 + 4 * k, sizeof(x));
		dot += (double)q[k] * x;
		norm += (double)x * x;
	}
	return norm > 0 && isfinite(dot) ? (float)(dot / sqrt(norm)) : 0;
}

/* One page of vectors, merged with the words; *at: how far those are used. */
static void
merge(struct rank *r, const struct rank *words, size_t *at, struct pg *db, const struct rank_query *q)
{
	const char *f32;
	size_t len;
	int k;

	for (k = 0; k < pg_rows(db); k++) {
		int64_t document = pg_i64(db, k, 0);
		int32_t i = (int32_t)pg_i64(db, k, 1);
		struct rank_hit *h;

		for (; *at < words->n && by_place(&words->h[*at], document, i) < 0; ++*at)
			*add(r, 0, 0) = words->h[*at];
		f32 = pg_bytes(db, k, 2, &len);
		h = add(r, document, i);
		if (*at < words->n && by_place(&words->h[*at], document, i) == 0)
			h->words = words->h[(*at)++].words;
		if (len == 4 * q->dim)
			h->cosine = cosine(q->vector, f32, q->dim);
		if (h->words <= 0 && h->cosine <= 0)
			r->n--;
	}
}

static enum pg_status
read_vectors(struct rank *r, const struct rank *words, struct pg *db, const struct rank_query *q)
{
	static struct pg_args a = PG_ARGS_INIT;
	int64_t document = 0, i = -1;
	enum pg_status st;
	size_t at = 0;
	int rows;

	do {
		pg_args_reset(&a);
		pg_puts(&a, pg_scalar(&a, PG_TEXT), q->tenant);
		pg_puts(&a, pg_scalar(&a, PG_TEXT), q->doc_key);
		pg_puts(&a, pg_scalar(&a, PG_TEXT), q->model);
		pg_put_i64(&a, pg_scalar(&a, PG_INT8), document);
		pg_put_i64(&a, pg_scalar(&a, PG_INT4), i);
		pg_put_i64(&a, pg_scalar(&a, PG_INT4), PAGE);
		st = pg_call(db, "select document, i, f32 from"
		    " sluice.search_vectors($1, $2, $3, $4, $5, $6)", &a);
		if (st != PG_OK)
			return st;
		rows = pg_rows(db);
		merge(r, words, &at, db, q);
		if (rows) {
			document = pg_i64(db, rows - 1, 0);
			i = pg_i64(db, rows - 1, 1);
		}
	} while (rows == PAGE);
	for (; at < words->n; at++)
		*add(r, 0, 0) = words->h[at];
	return PG_OK;
}

enum pg_status
rank_run(struct rank *r, struct pg *db, const struct rank_query *q)
{
	struct rank words = RANK_INIT;
	enum pg_status st = read_words(&words, db, q);
	size_t k;

	r->n = 0;
	if (st == PG_OK)
		st = read_vectors(r, &words, db, q);
	rank_free(&words);
	for (k = 0; k < r->n; k++) {
		struct rank_hit *h = &r->h[k];

		h->score = (float)((1 - q->a) * h->words + q->a * (h->cosine > 0 ? h->cosine : 0));
	}
	if (r->n)
		qsort(r->h, r->n, sizeof(*r->h), by_score);
	while (r->n && r->h[r->n - 1].score <= 0)
		r->n--;
	return st;
}

static bool
seen(const struct rank *r, size_t n, int64_t document)
{
	size_t k;

	for (k = 0; k < n; k++)
		if (r->h[k].document == document)
			return true;
	return false;
}

void
rank_cut(struct rank *r, size_t n, bool all)
{
	size_t from, to = 0;

	for (from = 0; from < r->n && to < n; from++)
		if (all || !seen(r, to, r->h[from].document))
			r->h[to++] = r->h[from];
	r->n = to;
}

void
rank_free(struct rank *r)
{
	free(r->h);
	*r = (struct rank)RANK_INIT;
}
