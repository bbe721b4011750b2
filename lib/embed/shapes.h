/* shapes.h - the encoder's primitives for each shape, made when first asked
 * for and kept. Lengths are multiples of SHAPES_STEP, so there are few. */
#ifndef SHAPES_H
#define SHAPES_H

#include <stddef.h>

#include "embed/ops.h"
#include "embed/weights.h"

enum {
	SHAPES_STEP = 16,       /* a sequence's rows are a multiple of this */
	SHAPES_ROWS = 512       /* most rows of one pass: wide enough for the CPU, small enough for its caches */
};

/* For a pass over so many rows. */
struct by_rows {
	struct op *square, *square_add, *up, *down, *norm;
};

/* For the attention of one sequence of so many rows. */
struct by_len {
	struct op *scores, *softmax, *mix;
};

struct shapes {
	struct ops *ops;                /* borrowed */
	const struct weights *w;        /* borrowed */
	struct by_rows rows[SHAPES_ROWS / SHAPES_STEP + 1];
	struct by_len len[SHAPES_ROWS / SHAPES_STEP + 1];
};

/* rows: a multiple of SHAPES_STEP, at most SHAPES_ROWS. NULL with *f. */
const struct by_rows *shapes_rows(struct shapes *s, size_t rows, struct fault *f);
const struct by_len *shapes_len(struct shapes *s, size_t rows, struct fault *f);
void shapes_release(struct shapes *s);

#endif
