/* ops.h - the encoder's arithmetic on the CPU: oneDNN primitives of a fixed
 * shape, made once and run often. The one module that knows oneDNN.
 *
 * All tensors are float32, in the caller's memory, row-major without gaps
 * unless said otherwise. True float32: no bf16 or tf32, whatever the CPU has
 * and the environment says. Work is spread over OpenMP's threads. Not
 * thread-safe. op_make_* return NULL with *f when oneDNN refuses; op_run 0,
 * or -1 with *f.
 */
#ifndef OPS_H
#define OPS_H

#include <stddef.h>

#include "embed/fault.h"

enum op_after {
	OP_NOTHING,
	OP_GELU,        /* y = gelu(x W^T + b), with the exact erf */
	OP_ADD          /* y += x W^T + b */
};

struct ops;
struct op;

/* threads: 0 for OpenMP's own choice (OMP_NUM_THREADS, else all cores). */
struct ops *ops_open(unsigned threads, struct fault *f);
void ops_close(struct ops *o);  /* NULL is allowed */

/* x (rows, in), w (out, in), b (out) -> y (rows, out) */
struct op *op_make_linear(struct ops *o, size_t rows, size_t in, size_t out, enum op_after after,
    struct fault *f);
/* x (rows, n), gain (n), shift (n) -> y (rows, n), which may be x */
struct op *op_make_norm(struct ops *o, size_t rows, size_t n, float eps, struct fault *f);
/* One sequence's attention scores. q, k: (len, heads, d) ; mask (len), added
 * to each row -> y (heads, len, len) = q k^T scale + mask */
struct op *op_make_scores(struct ops *o, size_t heads, size_t len, size_t d, float scale,
    struct fault *f);
/* x (rows, n) -> y (rows, n) = softmax over n; y may be x */
struct op *op_make_softmax(struct ops *o, size_t rows, size_t n, struct fault *f);
/* p (heads, len, len), v (len, heads, d) -> y (len, heads, d) = p v per head */
struct op *op_make_mix(struct ops *o, size_t heads, size_t len, size_t d, struct fault *f);

/* The operands in the order above; NULL for those that the operation does not have. */
int op_run(struct ops *o, struct op *p, const float *a, const float *b, const float *c, float *y,
    struct fault *f);
void op_free(struct op *p);     /* NULL is allowed */

#endif
