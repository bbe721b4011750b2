#include <stdlib.h>
#include <string.h>

#include "lexicon/lexmake.h"

static void
rehash(struct lex_strings *s)
{
	uint32_t i, at;

	s->slots = s->slots ? 2 * s->slots : 1024;
	free(s->slot);
	s->slot = mem_zalloc(s->slots * sizeof *s->slot);
	for (i = 0; i < s->n; i++) {
		for (at = (uint32_t)s->hash[i] & (s->slots - 1); s->slot[at]; at = (at + 1) & (s->slots - 1))
			;
		s->slot[at] = i + 1;
	}
}

uint32_t
lex_intern(struct lex_strings *s, const char *p, size_t len, uint64_t hash)
{
	uint32_t at, i;

	if (s->n * (uint64_t)2 >= s->slots)
		rehash(s);
	for (at = (uint32_t)hash & (s->slots - 1); s->slot[at]; at = (at + 1) & (s->slots - 1)) {
		i = s->slot[at] - 1;
		if (s->hash[i] == hash && s->at[i + 1] - s->at[i] == len && memcmp(s->bytes.p + s->at[i], p, len) == 0)
			return i;
	}
	if (s->n >= (1u << 30) || s->bytes.len + len >= UINT32_MAX)
		return UINT32_MAX;
	if (s->n + 1 >= s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->at = mem_array(s->at, s->cap, sizeof *s->at);
		s->hash = mem_array(s->hash, s->cap, sizeof *s->hash);
		s->at[0] = 0;
	}
	s->slot[at] = s->n + 1;
	s->hash[s->n] = hash;
	buf_add(&s->bytes, p, len);
	s->at[s->n + 1] = (uint32_t)s->bytes.len;
	return s->n++;
}

void
lex_strings_free(struct lex_strings *s)
{
	buf_free(&s->bytes);
	free(s->at);
	free(s->hash);
	free(s->slot);
	memset(s, 0, sizeof *s);
}
