#include "embed/wordpiece.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "embed/uni.h"
#include "json.h"
#include "mem.h"

enum { WORD_BYTES = WORDPIECE_WORD * 4 };

/* The word being collected, normalised. Bytes past WORDPIECE_WORD code points
 * are counted and not kept. */
struct word {
	const struct vocab *v;
	struct wp_tokens *out;
	size_t n;               /* bytes kept */
	size_t chars;
	uint32_t start, end;    /* of the whole word in the text */
	char b[WORD_BYTES];
	uint32_t from[WORD_BYTES], to[WORD_BYTES];      /* each byte's code point in the text */
};

static void
push(struct wp_tokens *out, uint32_t id, uint32_t start, uint32_t end)
{
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap + out->cap / 2 : 512;
		out->t = mem_array(out->t, out->cap, sizeof(*out->t));
	}
	out->t[out->n++] = (struct wp_token){ id, start, end };
}

void
wp_tokens_free(struct wp_tokens *t)
{
	free(t->t);
	*t = (struct wp_tokens)WP_TOKENS_INIT;
}

/* The longest piece at w->b + at: its length, 0 if there is none. */
static size_t
longest_piece(const struct word *w, size_t at, int32_t *id)
{
	uint32_t hash[VOCAB_LONGEST + 1];
	size_t most = w->n - at < w->v->longest ? w->n - at : w->v->longest;
	int cont = at > 0;

	hash[0] = vocab_seed(cont);
	for (size_t i = 0; i < most; i++)
		hash[i + 1] = vocab_step(hash[i], w->b[at + i]);
	for (; most; most--) {
		*id = vocab_find(w->v, w->b + at, most, cont, hash[most]);
		if (*id != VOCAB_NONE)
			return most;
	}
	return 0;
}

static void
word_end(struct word *w)
{
	size_t first = w->out->n;
	int32_t id;

	if (!w->chars)
		return;
	if (w->chars > WORDPIECE_WORD)
		push(w->out, w->v->unk, w->start, w->end);
	else
		for (size_t at = 0, len; at < w->n; at += len) {
			len = longest_piece(w, at, &id);
			if (!len) {
				w->out->n = first;
				push(w->out, w->v->unk, w->start, w->end);
				break;
			}
			push(w->out, (uint32_t)id, w->from[at], w->to[at + len - 1]);
		}
	w->n = w->chars = 0;
}

static void
word_byte(struct word *w, char c, uint32_t from, uint32_t to)
{
	w->b[w->n] = c;
	w->from[w->n] = from;
	w->to[w->n] = to;
	w->n++;
}

/* One more normalised code point, from text[from..to). */
static void
word_add(struct word *w, uint32_t cp, uint32_t from, uint32_t to)
{
	if (!w->chars)
		w->start = from;
	w->end = to;
	if (++w->chars > WORDPIECE_WORD)
		return;
	if (cp < 0x80) {
		word_byte(w, (char)cp, from, to);
		return;
	}
	if (cp < 0x800) {
		word_byte(w, (char)(0xc0 | cp >> 6), from, to);
	} else if (cp < 0x10000) {
		word_byte(w, (char)(0xe0 | cp >> 12), from, to);
		word_byte(w, (char)(0x80 | (cp >> 6 & 0x3f)), from, to);
	} else {
		word_byte(w, (char)(0xf0 | cp >> 18), from, to);
		word_byte(w, (char)(0x80 | (cp >> 12 & 0x3f)), from, to);
		word_byte(w, (char)(0x80 | (cp >> 6 & 0x3f)), from, to);
	}
	word_byte(w, (char)(0x80 | (cp & 0x3f)), from, to);
}

static void
word_alone(struct word *w, uint32_t cp, uint32_t from, uint32_t to)
{
	word_end(w);
	word_add(w, cp, from, to);
	word_end(w);
}

/* Unicode 3.12: a syllable is a leading consonant, a vowel and perhaps a trailing consonant. */
static void
add_hangul(struct word *w, uint32_t cp, uint32_t from, uint32_t to)
{
	uint32_t s = cp - 0xac00, trail = s % 28;

	word_add(w, 0x1100 + s / 588, from, to);
	word_add(w, 0x1161 + s % 588 / 28, from, to);
	if (trail)
		word_add(w, 0x11a7 + trail, from, to);
}

static void
add_mapped(struct word *w, const uint32_t *pool, uint32_t from, uint32_t to)
{
	for (uint32_t i = 1; i <= pool[0]; i++) {
		if (uni_class(pool[i]) == UNI_ALONE)
			word_alone(w, pool[i], from, to);
		else
			word_add(w, pool[i], from, to);
	}
}

static void
add_cp(struct word *w, uint32_t cp, uint32_t from, uint32_t to)
{
	unsigned c = uni_class(cp);

	switch (c) {
	case UNI_KEEP: word_add(w, cp, from, to); break;
	case UNI_DROP: break;
	case UNI_SPACE: word_end(w); break;
	case UNI_ALONE: word_alone(w, cp, from, to); break;
	case UNI_HANGUL: add_hangul(w, cp, from, to); break;
	default: add_mapped(w, uni_pool + (c - UNI_MAP), from, to); break;
	}
}

static uint32_t
decode(const unsigned char *p, size_t n)
{
	switch (n) {
	case 1: return p[0];
	case 2: return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	case 3: return (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
	default: return (p[0] & 0x07U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
	}
}

int
wordpiece(const struct vocab *v, const char *text, size_t len, size_t max, struct wp_tokens *out)
{
	struct word w;
	const char *end = len ? text + len : text;      /* text may be NULL when len is 0 */
	size_t stop = max ? out->n + max : SIZE_MAX;

	if (len > UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	w.v = v;
	w.out = out;
	w.n = w.chars = 0;
	for (const char *p = text; p < end && out->n < stop; ) {
		size_t n = (unsigned char)*p < 0x80 ? 1 : utf8_len(p, end);
		uint32_t from = (uint32_t)(p - text);
		int32_t id = VOCAB_NONE;

		if (*p == '[')
			id = vocab_special(v, p, end, &n);
		if (id != VOCAB_NONE) {
			word_end(&w);
			push(out, (uint32_t)id, from, from + (uint32_t)n);
		} else if (n) {
			add_cp(&w, decode((const unsigned char *)p, n), from, from + (uint32_t)n);
		}
		p += n ? n : 1;
	}
	word_end(&w);
	return 0;
}
