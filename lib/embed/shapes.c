#include "embed/shapes.h"

#include <math.h>

const struct by_rows *
shapes_rows(struct shapes *s, size_t rows, struct fault *f)
{
	struct by_rows *r = &s->rows[rows / SHAPES_STEP];
	size_t hidden = s->w->hidden, inner = s->w->inner;

	if (!r->square && !(r->square = op_make_linear(s->ops, rows, hidden, hidden, OP_NOTHING, f)))
		return NULL;
	if (!r->square_add && !(r->square_add = op_make_linear(s->ops, rows, hidden, hidden, OP_ADD, f)))
		return NULL;
	if (!r->up && !(r->up = op_make_linear(s->ops, rows, hidden, inner, OP_GELU, f)))
		return NULL;
	if (!r->down && !(r->down = op_make_linear(s->ops, rows, inner, hidden, OP_ADD, f)))
		return NULL;
	if (!r->norm && !(r->norm = op_make_norm(s->ops, rows, hidden, s->w->eps, f)))
		return NULL;
	return r;
}

const struct by_len *
shapes_len(struct shapes *s, size_t rows, struct fault *f)
{
	struct by_len *l = &s->len[rows / SHAPES_STEP];
	size_t heads = s->w->heads, d = s->w->hidden / heads;

	if (!l->scores && !(l->scores = op_make_scores(s->ops, heads, rows, d, 1 / sqrtf((float)d), f)))
		return NULL;
	if (!l->softmax && !(l->softmax = op_make_softmax(s->ops, heads * rows, rows, f)))
		return NULL;
	if (!l->mix && !(l->mix = op_make_mix(s->ops, heads, rows, d, f)))
		return NULL;
	return l;
}

void
shapes_release(struct shapes *s)
{
	for (size_t i = 0; i <= SHAPES_ROWS / SHAPES_STEP; i++) {
		op_free(s->rows[i].square);
		op_free(s->rows[i].square_add);
		op_free(s->rows[i].up);
		op_free(s->rows[i].down);
		op_free(s->rows[i].norm);
		op_free(s->len[i].scores);
		op_free(s->len[i].softmax);
		op_free(s->len[i].mix);
	}
}
