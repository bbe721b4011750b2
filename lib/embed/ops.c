#include "embed/ops.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <stdlib.h>

#include "mem.h"

enum { ARGS = 4, RESULT = 3 };  /* a, b, c, y */

struct ops {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

struct op {
	dnnl_primitive_t prim;
	dnnl_memory_t mem[ARGS];
	int arg[ARGS];          /* DNNL_ARG_..., 0: no such operand */
};

/* What goes into a primitive until it is made. */
struct plan {
	dnnl_memory_desc_t md[ARGS];
	int arg[ARGS];
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t post;
	dnnl_status_t st;       /* the first failure */
};

static int
refused(struct fault *f, const char *what, dnnl_status_t st)
{
	fault_set(f, "oneDNN: %s: status %d", what, (int)st);
	f->temp = st == dnnl_out_of_memory;
	return -1;
}

/* libgomp comes with oneDNN and reads its environment before main. */
static void
set_threads(unsigned threads)
{
	union {
		void *p;
		void (*fn)(int);
	} set;

	set.p = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
	if (set.p)
		set.fn((int)threads);
}

struct ops *
ops_open(unsigned threads, struct fault *f)
{
	struct ops *o = mem_zalloc(sizeof(*o));
	dnnl_status_t st;

	if (threads)
		set_threads(threads);
	dnnl_set_verbose(0);    /* DNNL_VERBOSE writes to stdout, which carries records */
	st = dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_strict);
	if (st == dnnl_success)
		st = dnnl_engine_create(&o->engine, dnnl_cpu, 0);
	if (st == dnnl_success)
		st = dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags);
	if (st != dnnl_success) {
		refused(f, "engine", st);
		ops_close(o);
		return NULL;
	}
	return o;
}

void
ops_close(struct ops *o)
{
	if (!o)
		return;
	if (o->stream)
		dnnl_stream_destroy(o->stream);
	if (o->engine)
		dnnl_engine_destroy(o->engine);
	free(o);
}

static void
keep(struct plan *p, dnnl_status_t st)
{
	if (p->st == dnnl_success)
		p->st = st;
}

static void
plan_begin(struct plan *p)
{
	*p = (struct plan){ .st = dnnl_success };
	keep(p, dnnl_primitive_attr_create(&p->attr));
}

/* Operand i: n dimensions and their strides, in elements. */
static void
operand(struct plan *p, int i, int arg, int n, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
	p->arg[i] = arg;
	keep(p, dnnl_memory_desc_init_by_strides(&p->md[i], n, dims, dnnl_f32, strides));
}

static void
plan_post(struct plan *p)
{
	keep(p, dnnl_post_ops_create(&p->post));
}

/* Makes the primitive of desc and gives back what the plan holds. */
static struct op *
plan_end(struct ops *o, struct plan *p, const void *desc, const char *what, struct fault *f)
{
	struct op *op = mem_zalloc(sizeof(*op));
	dnnl_primitive_desc_t pd = NULL;

	if (p->post)
		keep(p, dnnl_primitive_attr_set_post_ops(p->attr, p->post));
	if (p->st == dnnl_success)
		keep(p, dnnl_primitive_desc_create(&pd, desc, p->attr, o->engine, NULL));
	if (p->st == dnnl_success)
		keep(p, dnnl_primitive_create(&op->prim, pd));
	for (int i = 0; i < ARGS && p->st == dnnl_success; i++) {
		op->arg[i] = p->arg[i];
		if (p->arg[i])
			keep(p, dnnl_memory_create(&op->mem[i], &p->md[i], o->engine, DNNL_MEMORY_NONE));
	}
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	if (p->post)
		dnnl_post_ops_destroy(p->post);
	if (p->attr)
		dnnl_primitive_attr_destroy(p->attr);
	if (p->st == dnnl_success)
		return op;
	refused(f, what, p->st);
	op_free(op);
	return NULL;
}

struct op *
op_make_linear(struct ops *o, size_t rows, size_t in, size_t out, enum op_after after, struct fault *f)
{
	dnnl_matmul_desc_t d;
	struct plan p;

	plan_begin(&p);
	operand(&p, 0, DNNL_ARG_SRC, 2, (dnnl_dims_t){ rows, in }, (dnnl_dims_t){ in, 1 });
	operand(&p, 1, DNNL_ARG_WEIGHTS, 2, (dnnl_dims_t){ in, out }, (dnnl_dims_t){ 1, in });
	operand(&p, 2, DNNL_ARG_BIAS, 2, (dnnl_dims_t){ 1, out }, (dnnl_dims_t){ out, 1 });
	operand(&p, RESULT, DNNL_ARG_DST, 2, (dnnl_dims_t){ rows, out }, (dnnl_dims_t){ out, 1 });
	if (after != OP_NOTHING)
		plan_post(&p);
	if (p.st == dnnl_success && after == OP_GELU)
		keep(&p, dnnl_post_ops_append_eltwise(p.post, 1, dnnl_eltwise_gelu_erf, 0, 0));
	if (p.st == dnnl_success && after == OP_ADD)
		keep(&p, dnnl_post_ops_append_sum(p.post, 1));
	keep(&p, dnnl_matmul_desc_init(&d, &p.md[0], &p.md[1], &p.md[2], &p.md[RESULT]));
	return plan_end(o, &p, &d, "linear", f);
}

struct op *
op_make_norm(struct ops *o, size_t rows, size_t n, float eps, struct fault *f)
{
	dnnl_layer_normalization_desc_t d;
	struct plan p;

	plan_begin(&p);
	operand(&p, 0, DNNL_ARG_SRC, 2, (dnnl_dims_t){ rows, n }, (dnnl_dims_t){ n, 1 });
	operand(&p, 1, DNNL_ARG_SCALE, 1, (dnnl_dims_t){ n }, (dnnl_dims_t){ 1 });
	operand(&p, 2, DNNL_ARG_SHIFT, 1, (dnnl_dims_t){ n }, (dnnl_dims_t){ 1 });
	operand(&p, RESULT, DNNL_ARG_DST, 2, (dnnl_dims_t){ rows, n }, (dnnl_dims_t){ n, 1 });
	keep(&p, dnnl_layer_normalization_forward_desc_init(&d, dnnl_forward_inference, &p.md[0], NULL,
	    eps, dnnl_use_scale | dnnl_use_shift));
	return plan_end(o, &p, &d, "norm", f);
}

struct op *
op_make_scores(struct ops *o, size_t heads, size_t len, size_t d, float scale, struct fault *f)
{
	dnnl_matmul_desc_t desc;
	size_t row = heads * d;
	struct plan p;

	plan_begin(&p);
	operand(&p, 0, DNNL_ARG_SRC, 3, (dnnl_dims_t){ heads, len, d }, (dnnl_dims_t){ d, row, 1 });
	operand(&p, 1, DNNL_ARG_WEIGHTS, 3, (dnnl_dims_t){ heads, d, len }, (dnnl_dims_t){ d, 1, row });
	operand(&p, 2, DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, 3,
	    (dnnl_dims_t){ 1, 1, len }, (dnnl_dims_t){ len, len, 1 });
	operand(&p, RESULT, DNNL_ARG_DST, 3,
	    (dnnl_dims_t){ heads, len, len }, (dnnl_dims_t){ len * len, len, 1 });
	plan_post(&p);
	if (p.st == dnnl_success)
		keep(&p, dnnl_primitive_attr_set_output_scales(p.attr, 1, 0, &scale));
	if (p.st == dnnl_success)
		keep(&p, dnnl_post_ops_append_binary(p.post, dnnl_binary_add, &p.md[2]));
	keep(&p, dnnl_matmul_desc_init(&desc, &p.md[0], &p.md[1], NULL, &p.md[RESULT]));
	return plan_end(o, &p, &desc, "scores", f);
}

struct op *
op_make_softmax(struct ops *o, size_t rows, size_t n, struct fault *f)
{
	dnnl_softmax_desc_t d;
	struct plan p;

	plan_begin(&p);
	operand(&p, 0, DNNL_ARG_SRC, 2, (dnnl_dims_t){ rows, n }, (dnnl_dims_t){ n, 1 });
	operand(&p, RESULT, DNNL_ARG_DST, 2, (dnnl_dims_t){ rows, n }, (dnnl_dims_t){ n, 1 });
	keep(&p, dnnl_softmax_forward_desc_init(&d, dnnl_forward_inference, &p.md[0], 1));
	return plan_end(o, &p, &d, "softmax", f);
}

struct op *
op_make_mix(struct ops *o, size_t heads, size_t len, size_t d, struct fault *f)
{
	dnnl_matmul_desc_t desc;
	size_t row = heads * d;
	struct plan p;

	plan_begin(&p);
	operand(&p, 0, DNNL_ARG_SRC, 3,
	    (dnnl_dims_t){ heads, len, len }, (dnnl_dims_t){ len * len, len, 1 });
	operand(&p, 1, DNNL_ARG_WEIGHTS, 3, (dnnl_dims_t){ heads, len, d }, (dnnl_dims_t){ d, row, 1 });
	operand(&p, RESULT, DNNL_ARG_DST, 3, (dnnl_dims_t){ heads, len, d }, (dnnl_dims_t){ d, row, 1 });
	keep(&p, dnnl_matmul_desc_init(&desc, &p.md[0], &p.md[1], NULL, &p.md[RESULT]));
	return plan_end(o, &p, &desc, "mix", f);
}

int
op_run(struct ops *o, struct op *p, const float *a, const float *b, const float *c, float *y,
    struct fault *f)
{
	const void *at[ARGS] = { a, b, c, y };
	dnnl_exec_arg_t args[ARGS];
	dnnl_status_t st = dnnl_success;
	int n = 0;

	for (int i = 0; i < ARGS && st == dnnl_success; i++)
		if (p->arg[i]) {
			st = dnnl_memory_set_data_handle(p->mem[i], (void *)(size_t)at[i]);
			args[n++] = (dnnl_exec_arg_t){ p->arg[i], p->mem[i] };
		}
	if (st == dnnl_success)
		st = dnnl_primitive_execute(p->prim, o->stream, n, args);
	if (st == dnnl_success)
		st = dnnl_stream_wait(o->stream);
	return st == dnnl_success ? 0 : refused(f, "run", st);
}

void
op_free(struct op *p)
{
	if (!p)
		return;
	for (int i = 0; i < ARGS; i++)
		if (p->mem[i])
			dnnl_memory_destroy(p->mem[i]);
	if (p->prim)
		dnnl_primitive_destroy(p->prim);
	free(p);
}
