#include "lexicon/lexasked.h"

#include <string.h>

#include "lexicon/lexhash.h"

uint32_t
lex_asked_number(struct lex_asked *a, const char *name, size_t len)
{
	uint32_t n = lex_intern(&a->names, name, len, lex_hash(name, len)), was;

	while (n != UINT32_MAX && n >= a->cap) {
		was = a->cap;
		a->cap = was ? 2 * was : 1024;
		a->known = mem_array(a->known, a->cap, sizeof *a->known);
		memset(a->known + was, 0, (a->cap - was) * sizeof *a->known);
	}
	return n;
}

void
lex_asked_note(struct lex_asked *a, uint32_t number, const char *answer, size_t len)
{
	struct lex_known *k = &a->known[number];

	if (k->known)
		return;
	k->known = true;
	k->at = a->answers.len;
	k->len = len;
	if (len)
		buf_add(&a->answers, answer, len);
}
