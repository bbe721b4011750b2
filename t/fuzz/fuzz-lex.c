/* fuzz-lex - any bytes as a compiled vocabulary: refused, or looked up in without
 * leaving the file, and what is found lies in the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lexicon/lexfind.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "an aspirin, lung cancer; lung\ncancer non-small cell lung cancer a b c a b a b c d";

static void
found(void *ctx, const struct lex_found *m)
{
	const struct lex *x = ctx;
	volatile char sink;
	size_t len;

	if (m->start >= m->end || m->end > sizeof text - 1 || m->term >= x->h->terms)
		abort();
	sink = (char)x->flags[m->term];
	for (uint32_t i = x->link_at[m->term]; i < x->link_at[m->term + 1]; i++) {
		const char *p = lex_id(x, x->link[i], &len);

		if (len)
			sink = p[len - 1];
		p = lex_name(x, x->link[i], &len);
		if (len)
			sink = p[len - 1];
	}
	(void)sink;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = mem_dup((const char *)data, size);         /* aligned */
	struct lex x = LEX_INIT;
	struct lex_find f = { .x = &x, .found = found, .ctx = &x };
	struct lex_words w;
	struct lex_token t;
	struct fault why;

	if (lex_view(&x, copy, size, &why) == 0) {
		lex_words_of(&w, text, sizeof text - 1);
		while (lex_next(&w, &t))
			lex_find_word(&f, &t, lex_word(f.x, t.hash, t.w, t.n));
		lex_find_end(&f);
		lex_find_free(&f);
	} else if (!why.text[0]) {
		abort();
	}
	free(copy);
	return 0;
}
