#include "embed/embedder.h"

#include <stdlib.h>

#include "embed/where.h"
#include "mem.h"

static int
open_vocab(struct embedder *e, const char *dir, struct fault *f)
{
	struct buf path = BUF_INIT;
	int got = vocab_open(&e->vocab, where_file(&path, dir, "vocab.txt"), f);

	if (got == 0 && e->vocab.n > e->weights.words) {
		vocab_close(&e->vocab);
		got = fault_set(f, "%s: has %zu pieces, the model knows %zu", path.p, e->vocab.n,
		    e->weights.words);
	}
	buf_free(&path);
	return got;
}

int
embedder_open(struct embedder *e, const char *dir, unsigned threads, struct fault *f)
{
	*e = (struct embedder){ .work = WP_TOKENS_INIT, .ids = BUF_INIT };
	if (weights_open(&e->weights, dir, f) < 0)
		return -1;
	if (open_vocab(e, dir, f) < 0) {
		weights_close(&e->weights);
		return -1;
	}
	e->encoder = encoder_open(&e->weights, threads, f);
	if (!e->encoder) {
		embedder_close(e);
		return -1;
	}
	e->dim = e->weights.hidden;
	e->tokens = encoder_tokens(e->encoder);
	return 0;
}

void
embedder_close(struct embedder *e)
{
	encoder_close(e->encoder);
	e->encoder = NULL;
	vocab_close(&e->vocab);
	weights_close(&e->weights);
	wp_tokens_free(&e->work);
	buf_free(&e->ids);
}

/* Appends [CLS], the text's tokens and [SEP] to ids. */
static int
add_text(struct embedder *e, struct text *t, struct fault *f)
{
	size_t most = e->tokens - WORDPIECE_FRAME;
	uint32_t *id;

	e->work.n = 0;
	if (wordpiece(&e->vocab, t->p, t->len, most + 1, &e->work) < 0)
		return fault_set(f, "a text of %zu bytes is too long", t->len);
	t->cut = e->work.n > most;
	if (t->cut)
		e->work.n = most;
	t->tokens = e->work.n + WORDPIECE_FRAME;
	id = (uint32_t *)(void *)buf_room(&e->ids, t->tokens * sizeof(*id));
	*id++ = e->vocab.cls;
	for (size_t i = 0; i < e->work.n; i++)
		*id++ = e->work.t[i].id;
	*id = e->vocab.sep;
	e->ids.len += t->tokens * sizeof(*id);
	return 0;
}

int
embedder_run(struct embedder *e, struct text *t, size_t n, float *out, struct fault *f)
{
	struct sequence *s = mem_array(NULL, n, sizeof(*s));
	const uint32_t *id;
	int got = 0;

	e->ids.len = 0;
	for (size_t i = 0; i < n && got == 0; i++)
		got = add_text(e, &t[i], f);
	id = (const uint32_t *)(const void *)e->ids.p;
	for (size_t i = 0; i < n && got == 0; i++) {
		s[i] = (struct sequence){ id, t[i].tokens };
		id += t[i].tokens;
	}
	if (got == 0)
		got = encoder_run(e->encoder, s, n, out, f);
	free(s);
	return got;
}
