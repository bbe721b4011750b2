#include "seen.h"

#include <string.h>

/* FNV-1a: the keys are short, and nobody gains by a collision but a smaller batch. */
static const uint64_t prime = 1099511628211u;

void
seen_clear(struct seen *s)
{
	memset(s, 0, sizeof(*s));
}

uint64_t
seen_hash(uint64_t h, const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		h = (h ^ (unsigned char)b->p[i]) * prime;
	return (h ^ 0xff) * prime;
}

bool
seen_add(struct seen *s, uint64_t h)
{
	size_t i = h % SEEN_SLOTS;

	h |= 1;         /* 0 is an empty slot */
	for (; s->slot[i]; i = (i + 1) % SEEN_SLOTS)
		if (s->slot[i] == h)
			return false;
	if (s->n == SEEN_MOST)
		return false;
	s->n++;
	s->slot[i] = h;
	return true;
}
