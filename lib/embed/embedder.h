/* embedder.h - text to sentence vector, the whole model: vocabulary, weights,
 * encoder. Holds one model folder open (mapped, so opening takes about 10 ms
 * and the pages are shared between processes). Not thread-safe. */
#ifndef EMBEDDER_H
#define EMBEDDER_H

#include <stdbool.h>
#include <stddef.h>

#include "embed/encoder.h"
#include "embed/vocab.h"
#include "embed/weights.h"
#include "embed/wordpiece.h"

struct embedder {
	struct vocab vocab;
	struct weights weights;
	struct encoder *encoder;        /* NULL: not open */
	size_t dim;             /* floats of a vector */
	size_t tokens;          /* longest text in tokens, [CLS] and [SEP] counted */
	struct wp_tokens work;
	struct buf ids;
};

/* dir: a folder with vocab.txt, config.json, model.safetensors; threads as in
 * ops.h. 0, or -1 with *f. */
int embedder_open(struct embedder *e, const char *dir, unsigned threads, struct fault *f);
void embedder_close(struct embedder *e);

/* UTF-8; p is borrowed for the call. */
struct text {
	const char *p;
	size_t len;
	size_t tokens;          /* set: the text's tokens that were used, with [CLS] and [SEP] */
	bool cut;               /* set: it had more than embedder.tokens and its end was left out */
};

/* out: (n, dim) float32 row-major, row i for t[i], L2 norm 1 (NaN where the
 * weights hold NaN); n >= 1. 0, or -1 with *f. */
int embedder_run(struct embedder *e, struct text *t, size_t n, float *out, struct fault *f);

#endif
