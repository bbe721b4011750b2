/* encoder.h - token ids to sentence vectors: the BERT encoder, mean pooling
 * over all tokens, L2 norm 1. float32 on the CPU.
 *
 * Sequences are sorted by length and packed side by side, each padded to a
 * multiple of 16 tokens and masked, so little work is spent on padding and a
 * batch may mix lengths freely. Primitives are made the first time that a
 * shape is met and kept. Not thread-safe; one encoder may be used by one
 * thread at a time (it uses OpenMP's threads inside).
 */
#ifndef ENCODER_H
#define ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "embed/ops.h"
#include "embed/weights.h"

enum { ENCODER_TOKENS = 512 };  /* longest sequence; fewer if the model has fewer positions */

struct encoder;

/* ids[0..n), with [CLS] and [SEP], each less than the model's words;
 * 1 <= n <= encoder_tokens. Borrowed for the call. */
struct sequence {
	const uint32_t *ids;
	size_t n;
};

/* w is borrowed and must outlive the encoder. threads as in ops.h. NULL with *f. */
struct encoder *encoder_open(const struct weights *w, unsigned threads, struct fault *f);
void encoder_close(struct encoder *e);          /* NULL is allowed */
size_t encoder_tokens(const struct encoder *e); /* the longest sequence */

/* out: (n, hidden) float32 row-major, row i for s[i]; n >= 1. A row may hold
 * NaN when the weights do. 0, or -1 with *f. */
int encoder_run(struct encoder *e, const struct sequence *s, size_t n, float *out, struct fault *f);

#endif
