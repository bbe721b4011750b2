#include "embed/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed/where.h"
#include "mem.h"

enum { NAME = 128 };

/* A finite positive number such as 1e-12. 0, or -1. */
static int
positive(const struct rec_member *m, float *v)
{
	char text[32];

	if (!m || m->type != '0' || m->val_len >= sizeof(text))
		return -1;
	memcpy(text, m->val, m->val_len);
	text[m->val_len] = '\0';
	*v = strtof(text, NULL);
	return *v > 0 && *v < 1 ? 0 : -1;
}

static int
size_of(const struct rec *r, const char *name, uint64_t max, size_t *v, struct fault *f)
{
	uint64_t n;

	if (rec_u64(rec_get(r, name), &n) < 0 || n < 1 || n > max)
		return fault_set(f, "%s is not between 1 and %llu", name, (unsigned long long)max);
	*v = (size_t)n;
	return 0;
}

static int
settings(struct weights *w, const struct rec *r, struct fault *f)
{
	const struct rec_member *kind = rec_get(r, "position_embedding_type");

	if (!rec_is(rec_get(r, "model_type"), "bert"))
		return fault_set(f, "model_type is not \"bert\"");
	if (!rec_is(rec_get(r, "hidden_act"), "gelu"))
		return fault_set(f, "hidden_act is not \"gelu\"");
	if (kind && !rec_is(kind, "absolute"))
		return fault_set(f, "position_embedding_type is not \"absolute\"");
	if (positive(rec_get(r, "layer_norm_eps"), &w->eps) < 0)
		return fault_set(f, "layer_norm_eps is not between 0 and 1");
	if (size_of(r, "hidden_size", 8192, &w->hidden, f) < 0 ||
	    size_of(r, "intermediate_size", 32768, &w->inner, f) < 0 ||
	    size_of(r, "num_attention_heads", 128, &w->heads, f) < 0 ||
	    size_of(r, "num_hidden_layers", WEIGHTS_LAYERS, &w->layers, f) < 0 ||
	    size_of(r, "max_position_embeddings", 1 << 20, &w->positions, f) < 0 ||
	    size_of(r, "vocab_size", 1 << 24, &w->words, f) < 0)
		return -1;
	if (w->hidden % w->heads)
		return fault_set(f, "hidden_size is no multiple of num_attention_heads");
	return 0;
}

static int
read_config(struct weights *w, const char *path, struct fault *f)
{
	struct map file = MAP_INIT;
	struct rec r = REC_INIT;
	struct fault why;
	enum rec_status st;
	int got;

	if (map_open(&file, path, f) < 0)
		return -1;
	st = rec_parse(&r, file.p, file.len);
	if (st != REC_OK)
		got = fault_set(f, "%s: %s at byte %zu", path, rec_reason(st), r.at);
	else if ((got = settings(w, &r, &why)) < 0)
		fault_set(f, "%s: %s", path, why.text);
	rec_free(&r);
	map_close(&file);
	return got;
}

static int
find_linear(const struct weights *w, struct linear *l, const char *prefix, const char *name,
    size_t out, size_t in, struct fault *f)
{
	char full[NAME];

	snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
	l->w = st_f32(&w->file, full, out, in, f);
	snprintf(full, sizeof(full), "%s%s.bias", prefix, name);
	l->b = l->w ? st_f32(&w->file, full, 0, out, f) : NULL;
	return l->b ? 0 : -1;
}

static int
find_norm(const struct weights *w, struct norm *n, const char *prefix, const char *name, struct fault *f)
{
	char full[NAME];

	snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
	n->gain = st_f32(&w->file, full, 0, w->hidden, f);
	snprintf(full, sizeof(full), "%s%s.bias", prefix, name);
	n->shift = n->gain ? st_f32(&w->file, full, 0, w->hidden, f) : NULL;
	return n->shift ? 0 : -1;
}

static int
find_layer(struct weights *w, size_t i, struct fault *f)
{
	struct layer *l = &w->layer[i];
	size_t h = w->hidden;
	char p[NAME / 2];

	snprintf(p, sizeof(p), "encoder.layer.%zu.", i);
	if (find_linear(w, &l->q, p, "attention.self.query", h, h, f) < 0 ||
	    find_linear(w, &l->k, p, "attention.self.key", h, h, f) < 0 ||
	    find_linear(w, &l->v, p, "attention.self.value", h, h, f) < 0 ||
	    find_linear(w, &l->o, p, "attention.output.dense", h, h, f) < 0 ||
	    find_linear(w, &l->up, p, "intermediate.dense", w->inner, h, f) < 0 ||
	    find_linear(w, &l->down, p, "output.dense", h, w->inner, f) < 0 ||
	    find_norm(w, &l->norm_o, p, "attention.output.LayerNorm", f) < 0 ||
	    find_norm(w, &l->norm_down, p, "output.LayerNorm", f) < 0)
		return -1;
	return 0;
}

static int
find_all(struct weights *w, struct fault *f)
{
	w->word = st_f32(&w->file, "embeddings.word_embeddings.weight", w->words, w->hidden, f);
	if (!w->word)
		return -1;
	w->position = st_f32(&w->file, "embeddings.position_embeddings.weight", w->positions, w->hidden, f);
	if (!w->position)
		return -1;
	w->type = st_f32(&w->file, "embeddings.token_type_embeddings.weight", 2, w->hidden, f);
	if (!w->type || find_norm(w, &w->norm_in, "embeddings.", "LayerNorm", f) < 0)
		return -1;
	for (size_t i = 0; i < w->layers; i++)
		if (find_layer(w, i, f) < 0)
			return -1;
	return 0;
}

int
weights_open(struct weights *w, const char *dir, struct fault *f)
{
	struct buf path = BUF_INIT;
	struct fault why;
	int got;

	w->file = (struct safetensors)SAFETENSORS_INIT;
	got = read_config(w, where_file(&path, dir, "config.json"), f);
	path.len = 0;
	if (got == 0)
		got = st_open(&w->file, where_file(&path, dir, "model.safetensors"), f);
	if (got == 0 && (got = find_all(w, &why)) < 0) {
		fault_set(f, "%s: %s", path.p, why.text);
		st_close(&w->file);
	}
	buf_free(&path);
	return got;
}

void
weights_close(struct weights *w)
{
	st_close(&w->file);
}
