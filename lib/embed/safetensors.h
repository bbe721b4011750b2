/* safetensors.h - a safetensors file, memory-mapped: named tensors in place.
 *
 * The file is 8 bytes little-endian header length, the header (a JSON object,
 * name to dtype, shape and data_offsets) and the data. Everything is checked
 * when it is opened, so that a hostile or torn file is refused and later
 * reads stay inside the mapping: lengths, JSON, dtypes, shapes whose product
 * overflows, offsets, and that the tensors cover the data without holes or
 * overlap. Read-only after st_open, so threads may share it.
 */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "embed/map.h"
#include "rec.h"

enum { ST_DIMS = 8, ST_HEADER_MAX = 16 << 20 };

struct st_tensor {
	const struct rec_member *m;     /* its name is m's key */
	char dtype[8];          /* "F32" */
	unsigned ndim;
	uint64_t shape[ST_DIMS];
	uint64_t begin, end;    /* bytes in the data */
};

struct safetensors {
	struct map file;
	struct rec header;      /* borrows the mapping */
	const char *data;
	size_t data_len;
	struct st_tensor *t;    /* owned, by begin */
	size_t n;
};
#define SAFETENSORS_INIT { MAP_INIT, REC_INIT, NULL, 0, NULL, 0 }

/* 0, or -1 with *f, s then holds nothing. */
int st_open(struct safetensors *s, const char *path, struct fault *f);
void st_close(struct safetensors *s);

/* The tensor called name, or NULL. */
const struct st_tensor *st_find(const struct safetensors *s, const char *name);

/* The float32 tensor called name with exactly this shape: (rows, cols)
 * row-major, or (cols) when rows is 0. Borrowed until st_close, aligned to 4
 * bytes. NULL with *f when it is missing or otherwise. */
const float *st_f32(const struct safetensors *s, const char *name, size_t rows, size_t cols,
    struct fault *f);

#endif
