#include "index/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value whose bytes name the job. */
static const struct rec_member *
key_of(const struct rec *line)
{
	const struct rec_member *m = rec_get(line, "feed");

	return m ? m : rec_get(line, "job_id");
}

struct fold_job *
fold_find(struct fold *f, const struct rec *line)
{
	const struct rec_member *k = key_of(line);
	struct fold_job *j;

	if (!k)
		return NULL;
	for (j = f->jobs; j; j = j->next)
		if (strlen(j->key) == k->val_len && memcmp(j->key, k->val, k->val_len) == 0)
			return j;
	return NULL;
}

struct fold_job *
fold_open(struct fold *f, const struct rec *line)
{
	const struct rec_member *k = key_of(line);
	struct fold_job *j = fold_find(f, line);

	if (j || !k)
		return j;
	j = mem_zalloc(sizeof(*j));
	j->key = mem_dup(k->val, k->val_len);
	j->next = f->jobs;
	f->jobs = j;
	return j;
}

void
fold_close(struct fold *f, struct fold_job *j)
{
	struct fold_job **at;

	if (!j)
		return;
	for (at = &f->jobs; *at != j; at = &(*at)->next)
		;
	*at = j->next;
	f->bytes -= j->items.len;
	buf_free(&j->items);
	buf_free(&j->error);
	free(j->item);
	free(j->key);
	free(j);
}

/* Adds one item: the chunk object's bytes, embedding (may be NULL) put in. */
static int
add(struct fold *f, struct fold_job *j, const struct rec_member *chunk,
    const struct rec_member *embedding)
{
	static struct rec r = REC_INIT;
	struct rec_change c = { .name = "embedding" };
	uint64_t i;
	size_t at = j->items.len;

	if (chunk->type != '{' || rec_parse(&r, chunk->val, chunk->val_len) != REC_OK ||
	    rec_u64(rec_get(&r, "i"), &i) < 0)
		return -1;
	if (j->too_large)
		return 0;
	if (f->bytes + chunk->val_len + (embedding ? embedding->val_len : 0) > f->max) {
		f->bytes -= j->items.len;
		j->items.len = j->n = 0;
		j->too_large = true;
		return 0;
	}
	if (embedding) {
		c.val = embedding->val;
		c.len = embedding->val_len;
		rec_edit(&j->items, &r, &c, 1);
	} else {
		buf_add(&j->items, chunk->val, chunk->val_len);
	}
	if (j->n == j->cap) {
		j->cap = j->cap ? 2 * j->cap : 64;
		j->item = mem_array(j->item, j->cap, sizeof(*j->item));
	}
	j->item[j->n++] = (struct fold_item){ i, at, j->items.len - at };
	f->bytes += j->items.len - at;
	return 0;
}

/* The job's error is its first final one, else its first. */
static void
keep_error(struct fold_job *j, const struct rec_member *error)
{
	static struct rec r = REC_INIT;
	bool retry = false;

	if (error->type == '{' && rec_parse(&r, error->val, error->val_len) == REC_OK)
		rec_bool(rec_get(&r, "retry"), &retry);
	if (j->error.len && (j->error_final || retry))
		return;
	j->error.len = 0;
	buf_add(&j->error, error->val, error->val_len);
	j->error_final = !retry;
}

int
fold_chunk(struct fold *f, const struct rec *line)
{
	const struct rec_member *chunk = rec_get(line, "chunk"), *error = rec_get(line, "error");
	struct fold_job *j = fold_open(f, line);

	if (!j || !chunk || add(f, j, chunk, rec_get(line, "embedding")) < 0)
		return -1;
	if (error)
		keep_error(j, error);
	return 0;
}

int
fold_unfold(struct fold *f, struct fold_job *j, const struct rec *chunks)
{
	static struct rec items = REC_INIT;
	const struct rec_member *m = rec_get(chunks, "items");
	size_t k;

	if (!m || rec_items(&items, m->val, m->val_len) != REC_OK)
		return -1;
	for (k = 0; k < items.n; k++)
		if (add(f, j, &items.m[k], NULL) < 0)
			return -1;
	return 0;
}

static int
by_i(const void *a, const void *b)
{
	const struct fold_item *x = a, *y = b;

	return x->i < y->i ? -1 : x->i > y->i;
}

int
fold_complete(struct fold_job *j, uint64_t n, char *why, size_t size)
{
	size_t k;

	if (j->n)
		qsort(j->item, j->n, sizeof(*j->item), by_i);
	for (k = 0; k < j->n; k++)
		if (j->item[k].i != k) {
			snprintf(why, size, j->item[k].i < k ? "chunk %" PRIu64 " came twice" :
			    "chunk %" PRIu64 " came and one before it did not", j->item[k].i);
			return -1;
		}
	if (j->n != n) {
		snprintf(why, size, "%zu chunks came and the job says %" PRIu64, j->n, n);
		return -1;
	}
	return 0;
}

void
fold_chunks(struct buf *out, const struct rec *chunks, const struct fold_job *j)
{
	static struct buf items;
	struct rec_change c = { .name = "items" };
	size_t k;

	items.len = 0;
	buf_addc(&items, '[');
	for (k = 0; j && k < j->n; k++) {
		if (k)
			buf_addc(&items, ',');
		buf_add(&items, j->items.p + j->item[k].at, j->item[k].len);
	}
	buf_addc(&items, ']');
	if (j) {
		c.val = items.p;
		c.len = items.len;
	}
	rec_edit(out, chunks, &c, 1);
}
