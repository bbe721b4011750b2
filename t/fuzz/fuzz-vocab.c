/* fuzz-vocab - any bytes as a file of terms, and as a text behind its first NUL: what is
 * compiled is accepted, and what the automaton finds is what the rule says, word by
 * word: of the terms that begin first the longest, and none over a blank line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lexicon/lexfind.h"
#include "lexicon/lexform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

static struct lex_token token[MOST];
static struct lex_found got[MOST];
static size_t got_n;

static void
found(void *ctx, const struct lex_found *m)
{
	(void)ctx;
	if (got_n == MOST)
		abort();
	got[got_n++] = *m;
}

/* The words of the terms as the reader gives them. */
struct plain {
	struct lex_token t[LEX_TERM_WORDS];
	unsigned n;
} *plain;
static size_t plain_n;

static void
keep(const struct lex_row *row)
{
	struct lex_words w;

	plain = mem_array(plain, plain_n + 1, sizeof *plain);
	plain[plain_n].n = 0;
	lex_words_of(&w, row->term, row->term_len);
	while (lex_next(&w, &plain[plain_n].t[plain[plain_n].n]) && ++plain[plain_n].n < LEX_TERM_WORDS)
		;
	plain_n++;
}

static void
compile(struct lex_make *m, const char *p, const char *end)
{
	struct lex_reader r = LEX_READER_INIT;
	struct lex_row row;

	r.form = end > p ? (enum lex_form)(*p++ & 3) : LEX_UNKNOWN;
	m->letters = 1;
	for (const char *lf; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf : end;
		switch (lex_read(&r, p, (size_t)(lf - p), &row)) {
		case LEX_BAD: if (!r.why) abort(); break;
		case LEX_SKIP: break;
		case LEX_ROW: if (lex_make_add(m, &row) == LEX_ADDED) keep(&row); break;
		}
	}
	buf_free(&r.title_text);
}

static bool
same(const struct lex_token *a, const struct lex_token *b)
{
	return a->n == b->n && a->n && memcmp(a->w, b->w, a->n) == 0;
}

/* The longest term at word i. */
static unsigned
longest(size_t i, size_t n)
{
	unsigned best = 0, k;

	for (size_t t = 0; t < plain_n; t++) {
		for (k = 0; k < plain[t].n && i + k < n && same(&token[i + k], &plain[t].t[k]) && !(k && token[i + k].apart); k++)
			;
		if (k == plain[t].n && k > best)
			best = k;
	}
	return best;
}

static void
compare(const struct lex *x, const char *text, size_t len)
{
	struct lex_find f = { .x = x, .found = found };
	struct lex_words w;
	size_t n = 0, i, k = 0;

	got_n = 0;
	lex_words_of(&w, text, len);
	while (n < MOST && lex_next(&w, &token[n])) {
		lex_find_word(&f, &token[n], lex_word(f.x, token[n].hash, token[n].w, token[n].n));
		n++;
	}
	lex_find_end(&f);
	for (i = 0; i < n; k++) {
		unsigned best;

		while (i < n && !(best = longest(i, n)))
			i++;
		if (i == n)
			break;
		if (k >= got_n || got[k].start != token[i].start || got[k].end != token[i + best - 1].end || got[k].end > len)
			abort();
		i += best;
	}
	if (k != got_n)
		abort();
	lex_find_free(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char sum[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const char *p = (const char *)data, *cut = memchr(data, 0, size), *end = cut ? cut : p + size;
	struct lex_make m = { .n = 0 };
	struct buf out = BUF_INIT;
	struct lex x = LEX_INIT;
	struct fault f;

	plain_n = 0;
	compile(&m, p, end);
	if (lex_make_file(&m, "v", "tsv", sum, "now", &out) < 0 || lex_view(&x, out.p, out.len, &f) < 0)
		abort();
	compare(&x, end, (size_t)(p + size - end));
	buf_free(&out);
	lex_make_free(&m);
	free(plain);
	plain = NULL;
	return 0;
}
