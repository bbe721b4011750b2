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

/* Where h is, or would be: 0 is an empty slot. */
static size_t
find(const struct seen *s, uint64_t h)
{
	size_t i = h % SEEN_SLOTS;

	while (s->slot[i] && s->slot[i] != (h | 1))
		i = (i + 1) % SEEN_SLOTS;
	return i;
}

bool
seen_has(const struct seen *s, uint64_t h)
{
	return s->slot[find(s, h)];
}

bool
seen_add(struct seen *s, uint64_t h)
{
	size_t i = find(s, h);

	if (s->slot[i] || s->n == SEEN_MOST)
		return false;
	s->n++;
	s->slot[i] = h | 1;
	return true;
}
