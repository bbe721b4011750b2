#include "lexicon/lexwords.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json.h"
#include "lexicon/lexfold.h"
#include "lexicon/lexhash.h"

static inline void
add(struct lex_token *t, unsigned *n, unsigned char c)
{
	if (*n < LEX_WORD)
		t->w[*n] = (char)c;
	++*n;
}

static void
add_glyph(struct lex_token *t, unsigned *n, const struct lex_glyph *g)
{
	for (unsigned i = 0; i < g->n; i++)
		add(t, n, (unsigned char)g->s[i]);
	t->letters += g->letters;
}

void
lex_words_of(struct lex_words *w, const char *text, size_t len)
{
	w->text = text;
	w->len = len;
	w->at = 0;
}

/* Moves to what is no separator: false at the end. What is not ASCII there is in *g. */
static bool
skip(struct lex_words *w, struct lex_token *t, struct lex_glyph *g)
{
	const char *p = w->text + w->at, *end = w->text + w->len;
	unsigned newlines = 0;

	while (p < end) {
		unsigned char c = (unsigned char)*p;
		size_t n = 1;

		if (c >= 0x80) {
			n = lex_glyph(p, end, g);
			if (g->kind == LEX_LETTER || g->kind == LEX_ALONE)
				break;
		} else if (lex_ascii[c] > LEX_BLANK) {
			break;
		} else if (c == '\n' || c == '\f') {
			newlines += c == '\f' ? 2 : 1;
		} else if (c == '-') {
			newlines = 0;
		}
		p += n;
	}
	t->apart = newlines > 1;
	w->at = (size_t)(p - w->text);
	return p < end;
}

#ifdef __SSE2__
/* How many of 16 bytes are ASCII letters and digits from the first on; folded they begin t->w,
 * which has room for all of them. No step a byte, and so no guess when a word ends. */
static inline unsigned
run_16(const char *p, struct lex_token *t)
{
	__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p), lower = _mm_or_si128(x, _mm_set1_epi8(0x20));
	__m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
	__m128i digit = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(x, _mm_set1_epi8('9' + 1)));
	unsigned digits = (unsigned)_mm_movemask_epi8(digit), ends = ~(digits | (unsigned)_mm_movemask_epi8(letter));
	unsigned n = (unsigned)__builtin_ctz(ends | 1u << 16);

	_mm_storeu_si128((__m128i *)(void *)t->w, lower);       /* a digit has that bit already */
	t->letters += n;
	for (digits &= (1u << n) - 1; digits; digits &= digits - 1)
		t->letters--;
	return n;
}
#endif

/* ASCII letters and digits from p on, most of most texts, as far as the word has room. Returns
 * where they end. */
static inline const char *
run_ascii(const char *p, const char *end, struct lex_token *t, unsigned *n)
{
	size_t left = (size_t)(end - p), room = *n < LEX_WORD ? LEX_WORD - *n : 0, k;
	unsigned letters = 0;
	unsigned char f;

	if (left > room)
		left = room;
	k = 0;
#ifdef __SSE2__
	if (!*n && left >= 16 && (k = run_16(p, t)) < 16)
		left = k;
#endif
	for (; k < left && (f = lex_ascii[(unsigned char)p[k]]) > LEX_SIGN; k++) {
		t->w[*n + k] = (char)f;
		letters += f >> 6;      /* a letter is 0x61 to 0x7a, a digit 0x30 to 0x39 */
	}
	t->letters += letters;
	*n += (unsigned)k;
	return p + k;
}

/* A run of letters and digits; returns where it ends. */
static const char *
run(const char *p, const char *end, struct lex_token *t, unsigned *n)
{
	const char *stop = p, *q;
	struct lex_glyph g;
	unsigned char f;

	for (; p < end; p = q) {
		q = run_ascii(p, end, t, n);
		if (q > p) {
			stop = q;
		} else if ((f = lex_ascii[(unsigned char)*p]) == LEX_BLANK || f == LEX_SIGN) {
			break;
		} else if (f) {
			add(t, n, f);   /* the word is over LEX_WORD already */
			stop = ++q;
		} else if ((unsigned char)*p < 0x80) {
			q++;
		} else {
			q += lex_glyph(p, end, &g);
			if (g.kind == LEX_SPACE || g.kind == LEX_ALONE)
				break;
			if (g.kind == LEX_LETTER)
				add_glyph(t, n, &g);
			stop = q;
		}
	}
	return stop;
}

bool
lex_next(struct lex_words *w, struct lex_token *t)
{
	const char *p, *stop, *end = w->text + w->len;
	struct lex_glyph g;
	unsigned n = 0;

	t->letters = 0;
	if (!skip(w, t, &g))
		return false;
	p = w->text + w->at;
	t->start = w->at;
	if ((unsigned char)*p < 0x80 && lex_ascii[(unsigned char)*p] == LEX_SIGN) {
		add(t, &n, (unsigned char)*p);
		stop = p + 1;
	} else if ((unsigned char)*p >= 0x80 && g.kind == LEX_ALONE) {
		add_glyph(t, &n, &g);
		stop = p + utf8_len(p, end);
	} else {
		stop = run(p, end, t, &n);
	}
	w->at = t->end = (size_t)(stop - w->text);
	t->n = n <= LEX_WORD ? n : 0;
	t->hash = lex_hash(t->w, t->n);
	return true;
}
