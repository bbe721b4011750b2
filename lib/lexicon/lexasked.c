#include "lexicon/lexasked.h"

#include <string.h>

uint32_t
lex_asked_number(struct lex_asked *a, const char *name, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;
	uint32_t n, was;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
	n = lex_intern(&a->names, name, len, lex_mix(hash));
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
