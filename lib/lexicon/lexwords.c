#include "lexicon/lexwords.h"

#include "json.h"
#include "lexicon/lexfold.h"

static inline void
add(struct lex_token *t, unsigned *n, unsigned char c)
{
	t->hash = (t->hash ^ c) * 0x100000001b3u;
	if (*n < LEX_WORD)
		t->w[*n] = (char)c;
	++*n;
}

static void
add_glyph(struct lex_token *t, unsigned *n, const struct lex_glyph *g)
{
	for (unsigned i = 0; i < g->n; i++)
		add(t, n, (unsigned char)g->s[i]);
	/* A syllable or an ideograph says as much as two letters. */
	if (!g->digit)
		t->letters += g->kind == LEX_ALONE ? (g->n > 2 ? 2 : 0) : 1;
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

/* A run of letters and digits; returns where it ends. */
static const char *
run(const char *p, const char *end, struct lex_token *t, unsigned *n)
{
	const char *stop = p;
	struct lex_glyph g;

	while (p < end) {
		unsigned char c = (unsigned char)*p, f;

		if (c < 0x80) {
			f = lex_ascii[c];
			if (f == LEX_BLANK || f == LEX_SIGN)
				break;
			p++;
			if (f == LEX_DROP)
				continue;
			add(t, n, f);
			t->letters += f >= 'a';
		} else {
			size_t k = lex_glyph(p, end, &g);

			if (g.kind == LEX_SPACE || g.kind == LEX_ALONE)
				break;
			p += k;
			if (g.kind == LEX_LETTER)
				add_glyph(t, n, &g);
		}
		stop = p;
	}
	return stop;
}

bool
lex_next(struct lex_words *w, struct lex_token *t)
{
	const char *p, *stop, *end = w->text + w->len;
	struct lex_glyph g;
	unsigned n = 0;

	t->hash = 0xcbf29ce484222325u;
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
	return true;
}
