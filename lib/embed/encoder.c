#include "embed/encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embed/shapes.h"
#include "mem.h"

enum { ALIGN = 64, FINE_ROWS = 64 };

struct encoder {
	const struct weights *w;
	struct ops *ops;
	struct shapes shapes;
	size_t tokens;
	void *memory;           /* what the pointers below point into */
	float *x, *q, *k, *v;   /* (SHAPES_ROWS, hidden) */
	float *inner;           /* (SHAPES_ROWS, inner) */
	float *scores;          /* (heads, tokens, tokens) */
	float *mask;            /* (tokens) */
	struct buf order;       /* struct span, by length */
};

/* A sequence's place in the caller's batch and in the pass. */
struct span {
	const struct sequence *s;
	float *out;
	size_t at, rows;        /* its first row; s->n and its padding */
};

static size_t
round_up(size_t n, size_t step)
{
	return (n + step - 1) / step * step;
}

static void
take_memory(struct encoder *e)
{
	size_t x = round_up(SHAPES_ROWS * e->w->hidden, ALIGN), inner = round_up(SHAPES_ROWS * e->w->inner, ALIGN);
	size_t most = round_up(e->tokens, SHAPES_STEP), scores = round_up(e->w->heads * most * most, ALIGN);
	float *p;

	e->memory = mem_array(NULL, 4 * x + inner + scores + most + ALIGN, sizeof(float));
	p = (float *)(void *)round_up((size_t)e->memory, ALIGN);
	memset(p, 0, 4 * x * sizeof(float));
	e->x = p;
	e->q = e->x + x;
	e->k = e->q + x;
	e->v = e->k + x;
	e->inner = e->v + x;
	e->scores = e->inner + inner;
	e->mask = e->scores + scores;
}

struct encoder *
encoder_open(const struct weights *w, unsigned threads, struct fault *f)
{
	struct encoder *e = mem_zalloc(sizeof(*e));

	e->w = w;
	e->tokens = w->positions < ENCODER_TOKENS ? w->positions : ENCODER_TOKENS;
	e->ops = ops_open(threads, f);
	if (!e->ops) {
		free(e);
		return NULL;
	}
	e->shapes.ops = e->ops;
	e->shapes.w = w;
	take_memory(e);
	return e;
}

void
encoder_close(struct encoder *e)
{
	if (!e)
		return;
	shapes_release(&e->shapes);
	ops_close(e->ops);
	buf_free(&e->order);
	free(e->memory);
	free(e);
}

size_t
encoder_tokens(const struct encoder *e)
{
	return e->tokens;
}

/* Sums of word, position and type embeddings into x; padding rows are zero. */
static void
look_up(struct encoder *e, const struct span *s)
{
	size_t hidden = e->w->hidden;
	float *x = e->x + s->at * hidden;

	for (size_t t = 0; t < s->s->n; t++, x += hidden) {
		const float *word = e->w->word + s->s->ids[t] * hidden;
		const float *position = e->w->position + t * hidden;

		for (size_t i = 0; i < hidden; i++)
			x[i] = word[i] + position[i] + e->w->type[i];
	}
	memset(x, 0, (s->rows - s->s->n) * hidden * sizeof(float));
}

/* q's rows become the attention's output: scores are all that needs them. */
static int
attend(struct encoder *e, const struct span *s, struct fault *f)
{
	size_t at = s->at * e->w->hidden;
	const struct by_len *l = shapes_len(&e->shapes, s->rows, f);

	if (!l)
		return -1;
	for (size_t i = 0; i < s->rows; i++)
		e->mask[i] = i < s->s->n ? 0 : -1e30F;
	if (op_run(e->ops, l->scores, e->q + at, e->k + at, e->mask, e->scores, f) < 0 ||
	    op_run(e->ops, l->softmax, e->scores, NULL, NULL, e->scores, f) < 0)
		return -1;
	return op_run(e->ops, l->mix, e->scores, e->v + at, NULL, e->q + at, f);
}

static int
run_layer(struct encoder *e, const struct layer *l, const struct by_rows *r, const struct span *s,
    size_t n, struct fault *f)
{
	if (op_run(e->ops, r->square, e->x, l->q.w, l->q.b, e->q, f) < 0 ||
	    op_run(e->ops, r->square, e->x, l->k.w, l->k.b, e->k, f) < 0 ||
	    op_run(e->ops, r->square, e->x, l->v.w, l->v.b, e->v, f) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (attend(e, &s[i], f) < 0)
			return -1;
	if (op_run(e->ops, r->square_add, e->q, l->o.w, l->o.b, e->x, f) < 0 ||
	    op_run(e->ops, r->norm, e->x, l->norm_o.gain, l->norm_o.shift, e->x, f) < 0 ||
	    op_run(e->ops, r->up, e->x, l->up.w, l->up.b, e->inner, f) < 0 ||
	    op_run(e->ops, r->down, e->inner, l->down.w, l->down.b, e->x, f) < 0)
		return -1;
	return op_run(e->ops, r->norm, e->x, l->norm_down.gain, l->norm_down.shift, e->x, f);
}

static void
pool(const struct encoder *e, const struct span *s)
{
	size_t hidden = e->w->hidden;
	float *out = s->out;
	double square = 0, scale;

	for (size_t i = 0; i < hidden; i++) {
		double sum = 0;

		for (size_t t = 0; t < s->s->n; t++)
			sum += (double)e->x[(s->at + t) * hidden + i];
		sum /= (double)s->s->n;
		square += sum * sum;
		out[i] = (float)sum;
	}
	scale = 1 / fmax(sqrt(square), 1e-12);
	for (size_t i = 0; i < hidden; i++)
		out[i] = (float)((double)out[i] * scale);
}

/* Few row counts, so that few primitives are made: fine steps where a step
 * would be much of the work, coarse ones above. */
static size_t
pass_rows(size_t used)
{
	return round_up(used, used <= FINE_ROWS ? SHAPES_STEP : FINE_ROWS);
}

static int
run_pass(struct encoder *e, const struct span *s, size_t n, size_t used, struct fault *f)
{
	const struct norm *in = &e->w->norm_in;
	const struct by_rows *r = shapes_rows(&e->shapes, pass_rows(used), f);

	if (!r)
		return -1;
	for (size_t i = 0; i < n; i++)
		look_up(e, &s[i]);
	if (op_run(e->ops, r->norm, e->x, in->gain, in->shift, e->x, f) < 0)
		return -1;
	for (size_t i = 0; i < e->w->layers; i++)
		if (run_layer(e, &e->w->layer[i], r, s, n, f) < 0)
			return -1;
	for (size_t i = 0; i < n; i++)
		pool(e, &s[i]);
	return 0;
}

static int
by_length(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->rows < y->rows ? -1 : x->rows > y->rows;
}

int
encoder_run(struct encoder *e, const struct sequence *s, size_t n, float *out, struct fault *f)
{
	struct span *span;

	e->order.len = 0;
	span = (struct span *)(void *)buf_room(&e->order, n * sizeof(*span));
	for (size_t i = 0; i < n; i++)
		span[i] = (struct span){ &s[i], out + i * e->w->hidden, 0, round_up(s[i].n, SHAPES_STEP) };
	qsort(span, n, sizeof(*span), by_length);
	for (size_t first = 0, i; first < n; first = i) {
		size_t used = 0;

		for (i = first; i < n && used + span[i].rows <= SHAPES_ROWS; i++) {
			span[i].at = used;
			used += span[i].rows;
		}
		if (run_pass(e, span + first, i - first, used, f) < 0)
			return -1;
	}
	return 0;
}
