#include "embed/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { LENGTH = 8 };

static unsigned
dtype_bytes(const char *dtype)
{
	static const struct { const char *name; unsigned bytes; } known[] = {
		{ "F64", 8 }, { "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "F8_E4M3", 1 }, { "F8_E5M2", 1 },
		{ "I64", 8 }, { "I32", 4 }, { "I16", 2 }, { "I8", 1 },
		{ "U64", 8 }, { "U32", 4 }, { "U16", 2 }, { "U8", 1 }, { "BOOL", 1 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(dtype, known[i].name) == 0)
			return known[i].bytes;
	return 0;
}

/* An array of at most max integers: how many, or -1. */
static int
numbers(const struct rec_member *m, uint64_t *v, size_t max)
{
	struct rec a = REC_INIT;
	int n = -1;

	if (!m || m->type != '[' || rec_items(&a, m->val, m->val_len) != REC_OK || a.n > max)
		goto done;
	for (size_t i = 0; i < a.n; i++)
		if (rec_u64(&a.m[i], &v[i]) < 0)
			goto done;
	n = (int)a.n;
done:
	rec_free(&a);
	return n;
}

/* What is wrong with the tensor that m describes, or NULL; t is then filled. */
static const char *
describe(struct st_tensor *t, const struct rec_member *m, const struct rec *r, uint64_t data_len)
{
	struct buf dtype = BUF_INIT;
	uint64_t off[2], size;
	int ndim = numbers(rec_get(r, "shape"), t->shape, ST_DIMS), known;

	t->m = m;
	known = rec_str(rec_get(r, "dtype"), &dtype) == 0 && dtype.len && dtype.len < sizeof(t->dtype);
	if (known) {
		memcpy(t->dtype, dtype.p, dtype.len);
		t->dtype[dtype.len] = '\0';
	}
	buf_free(&dtype);
	if (!known || !(size = dtype_bytes(t->dtype)))
		return "its dtype is not known";
	if (ndim < 0)
		return "its shape is no list of at most 8 integers";
	t->ndim = (unsigned)ndim;
	for (int i = 0; i < ndim; i++)
		if (__builtin_mul_overflow(size, t->shape[i], &size))
			return "its shape is too large";
	if (numbers(rec_get(r, "data_offsets"), off, 2) != 2)
		return "its data_offsets are not two integers";
	if (off[0] > off[1] || off[1] > data_len)
		return "its data_offsets are outside the file";
	if (off[1] - off[0] != size)
		return "its data_offsets do not fit its shape";
	t->begin = off[0];
	t->end = off[1];
	return NULL;
}

static int
by_begin(const void *a, const void *b)
{
	const struct st_tensor *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int
covers(struct safetensors *s, const char *path, struct fault *f)
{
	uint64_t at = 0;

	if (s->n)
		qsort(s->t, s->n, sizeof(*s->t), by_begin);
	for (size_t i = 0; i < s->n; i++) {
		const struct rec_member *m = s->t[i].m;

		if (s->t[i].begin != at)
			return fault_set(f, "%s: tensor %.*s: leaves a hole or overlaps",
			    path, (int)(m->key_len < 80 ? m->key_len : 80), m->key);
		at = s->t[i].end;
	}
	if (at != s->data_len)
		return fault_set(f, "%s: has %zu bytes of data, not the %llu that its header names",
		    path, s->data_len, (unsigned long long)at);
	return 0;
}

static int
tensors(struct safetensors *s, const char *path, struct fault *f)
{
	struct rec r = REC_INIT;
	const char *wrong = NULL;

	s->t = mem_array(NULL, s->header.n + 1, sizeof(*s->t));
	for (size_t i = 0; i < s->header.n && !wrong; i++) {
		const struct rec_member *m = &s->header.m[i];

		if (m->key_len == 12 && memcmp(m->key, "__metadata__", 12) == 0)
			continue;
		if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK)
			wrong = "is described by no object";
		else
			wrong = describe(&s->t[s->n++], m, &r, s->data_len);
		if (wrong)
			fault_set(f, "%s: tensor %.*s: %s", path,
			    (int)(m->key_len < 80 ? m->key_len : 80), m->key, wrong);
	}
	rec_free(&r);
	return wrong ? -1 : covers(s, path, f);
}

static int
header(struct safetensors *s, const char *path, struct fault *f)
{
	const unsigned char *p = (const unsigned char *)s->file.p;
	uint64_t len = 0;
	enum rec_status st;

	if (s->file.len < LENGTH)
		return fault_set(f, "%s: too short for a safetensors file", path);
	for (int i = LENGTH - 1; i >= 0; i--)
		len = len << 8 | p[i];
	if (len > ST_HEADER_MAX || len > s->file.len - LENGTH)
		return fault_set(f, "%s: its header would be %llu bytes", path, (unsigned long long)len);
	st = rec_parse(&s->header, s->file.p + LENGTH, len);
	if (st != REC_OK)
		return fault_set(f, "%s: header: %s at byte %zu", path, rec_reason(st), s->header.at);
	s->data = s->file.p + LENGTH + len;
	s->data_len = s->file.len - LENGTH - len;
	return tensors(s, path, f);
}

int
st_open(struct safetensors *s, const char *path, struct fault *f)
{
	*s = (struct safetensors)SAFETENSORS_INIT;
	if (map_open(&s->file, path, f) < 0)
		return -1;
	if (header(s, path, f) < 0) {
		st_close(s);
		return -1;
	}
	return 0;
}

void
st_close(struct safetensors *s)
{
	free(s->t);
	rec_free(&s->header);
	map_close(&s->file);
	*s = (struct safetensors)SAFETENSORS_INIT;
}

const struct st_tensor *
st_find(const struct safetensors *s, const char *name)
{
	const struct rec_member *m = rec_get(&s->header, name);

	for (size_t i = 0; m && i < s->n; i++)
		if (s->t[i].m == m)
			return &s->t[i];
	return NULL;
}

const float *
st_f32(const struct safetensors *s, const char *name, size_t rows, size_t cols, struct fault *f)
{
	const struct st_tensor *t = st_find(s, name);
	const char *p;

	if (!t) {
		fault_set(f, "tensor %s: missing", name);
		return NULL;
	}
	if (strcmp(t->dtype, "F32") != 0) {
		fault_set(f, "tensor %s: is %s, not F32", name, t->dtype);
		return NULL;
	}
	if (rows ? t->ndim != 2 || t->shape[0] != rows || t->shape[1] != cols
	    : t->ndim != 1 || t->shape[0] != cols) {
		fault_set(f, "tensor %s: its shape is not (%zu, %zu)", name, rows, cols);
		return NULL;
	}
	p = s->data + t->begin;
	if ((uintptr_t)p % sizeof(float)) {
		fault_set(f, "tensor %s: its data is not aligned", name);
		return NULL;
	}
	return (const float *)(const void *)p;
}
