#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text/sentence.h"
#include "text/units.h"

/* Tokens asked for at a time: what the tokenizer's output may take at once. */
enum { BATCH = 1 << 16 };

static void
learn_cont(struct units *us, const struct vocab *v)
{
	const char *p = v->file.p, *end = p + v->file.len;

	us->cont = mem_zalloc(v->n + 1);
	for (size_t id = 0; id < v->n && p < end; id++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		us->cont[id] = end - p > 2 && p[0] == '#' && p[1] == '#' && lf != p + 2;
		p = lf ? lf + 1 : end;
	}
}

size_t
units_border(const char *text, size_t i)
{
	while (i && ((unsigned char)text[i] & 0xC0) == 0x80)
		i--;
	return i;
}

static struct unit *
add(struct units *us, uint32_t start, uint32_t end, unsigned tokens, unsigned flags)
{
	if (us->n == us->cap) {
		us->cap = us->cap ? us->cap + us->cap / 2 : 1024;
		us->u = mem_array(us->u, us->cap, sizeof *us->u);
	}
	us->u[us->n] = (struct unit){ start, end, (uint16_t)tokens, (uint16_t)flags };
	return &us->u[us->n++];
}

/* One token over the limit of bytes, in equal parts: each of them is long
 * enough to be one [UNK] again. */
static void
cut_bytes(struct units *us, const char *text, const struct wp_token *t, size_t bytes)
{
	size_t size = t->end - t->start, parts = size / (bytes / 2) + 1;
	uint32_t at = t->start;

	for (size_t i = 1; i <= parts; i++) {
		uint32_t to = i == parts ? t->end :
		    (uint32_t)units_border(text, t->start + (size_t)((unsigned long long)size * i / parts));

		if (to > at)
			add(us, at, to, 1, UNIT_ROUGH);
		at = to;
	}
}

/* The word t[0..n). Pieces of one code point have the same start. */
static void
add_word(struct units *us, const char *text, const struct wp_token *t, size_t n, unsigned limit,
    size_t bytes)
{
	if (n == 1 && t->end - t->start > bytes) {
		cut_bytes(us, text, t, bytes);
	} else if (n <= limit && t[n - 1].end - t->start <= bytes) {
		add(us, t->start, t[n - 1].end, (unsigned)n, 0);
	} else {
		struct unit *u = add(us, t->start, t->end, 1, UNIT_ROUGH);

		for (size_t i = 1; i < n; i++) {
			if (t[i].start < u->end) {
				u->tokens++;
				u->end = t[i].end;
			} else {
				u = add(us, t[i].start, t[i].end, 1, UNIT_ROUGH);
			}
		}
	}
}

/* Sets the flags of the units that begin a sentence or a paragraph. */
static void
mark(struct units *us, const char *text, size_t len)
{
	size_t at = 0, k = 0;
	bool para = true;

	while (k < us->n) {
		while (k < us->n && us->u[k].start < at)
			k++;
		if (k < us->n)
			us->u[k].flags |= para ? UNIT_SENTENCE | UNIT_PARAGRAPH : UNIT_SENTENCE;
		if (at >= len)
			break;
		at = sentence_next(text, len, at, &para);
	}
}

void
units_fill(struct units *us, const struct vocab *v, const char *text, size_t len,
    unsigned limit, size_t bytes)
{
	size_t at = 0, i, j, first;

	if (!us->cont)
		learn_cont(us, v);
	us->n = 0;
	for (;;) {
		us->work.n = 0;
		wordpiece(v, text + at, len - at, BATCH, &us->work);
		if (!us->work.n)
			break;
		for (i = 0; i < us->work.n; i++) {
			us->work.t[i].start += (uint32_t)at;
			us->work.t[i].end += (uint32_t)at;
		}
		first = us->n;
		for (i = 0; i < us->work.n; i = j) {
			for (j = i + 1; j < us->work.n && us->cont[us->work.t[j].id]; j++)
				;
			add_word(us, text, us->work.t + i, j - i, limit, bytes);
		}
		/* A word may have been cut between two batches, in one code point. */
		us->u[first].flags |= UNIT_ROUGH;
		at = us->work.t[us->work.n - 1].end;
	}
	mark(us, text, len);
}

void
units_free(struct units *us)
{
	free(us->u);
	free(us->cont);
	wp_tokens_free(&us->work);
	*us = (struct units)UNITS_INIT;
}
