/* weights.h - a BERT encoder's settings and tensors, in the mapped file.
 * Read-only after weights_open, so threads may share it. */
#ifndef WEIGHTS_H
#define WEIGHTS_H

#include <stddef.h>

#include "embed/safetensors.h"

enum { WEIGHTS_LAYERS = 48 };

/* y = x W^T + b. w: (out, in) float32 row-major, b: (out). Borrowed. */
struct linear {
	const float *w, *b;
};

/* gain, shift: (hidden) float32. Borrowed. */
struct norm {
	const float *gain, *shift;
};

struct layer {
	struct linear q, k, v, o;       /* (hidden, hidden) */
	struct linear up, down;         /* (inner, hidden), (hidden, inner) */
	struct norm norm_o, norm_down;
};

struct weights {
	struct safetensors file;
	size_t hidden, inner, heads, layers, positions, words;
	float eps;              /* of the layer norms */
	const float *word;      /* (words, hidden) */
	const float *position;  /* (positions, hidden) */
	const float *type;      /* (hidden): token type 0 */
	struct norm norm_in;
	struct layer layer[WEIGHTS_LAYERS];
};

/* Reads dir/config.json and dir/model.safetensors. The model must be a BERT
 * with absolute positions and the exact GELU, all tensors float32. 0, or -1
 * with *f. */
int weights_open(struct weights *w, const char *dir, struct fault *f);
void weights_close(struct weights *w);

#endif
