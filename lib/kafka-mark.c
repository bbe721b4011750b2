#include "kafka-mark.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void
mark_init(struct mark *m, int64_t start)
{
	memset(m, 0, sizeof(*m));
	m->value = start;
}

static void
grow(struct mark *m)
{
	size_t cap = m->cap ? m->cap * 2 : 64;
	int64_t *ring = mem_array(NULL, cap, sizeof(*ring));

	for (uint64_t i = m->head; i < m->tail; i++)
		ring[i & (cap - 1)] = m->ring[i & (m->cap - 1)];
	free(m->ring);
	m->ring = ring;
	m->cap = cap;
}

uint64_t
mark_put(struct mark *m, int64_t offset)
{
	if (m->tail - m->head == m->cap)
		grow(m);
	m->ring[m->tail & (m->cap - 1)] = offset;
	return m->tail++;
}

void
mark_done(struct mark *m, uint64_t number)
{
	int64_t *slot;

	if (number < m->head || number >= m->tail)
		return;
	slot = &m->ring[number & (m->cap - 1)];
	if (*slot >= 0)
		*slot = ~*slot;
	while (m->head < m->tail && m->ring[m->head & (m->cap - 1)] < 0)
		m->value = ~m->ring[m->head++ & (m->cap - 1)] + 1;
}

size_t
mark_pending(const struct mark *m)
{
	return m->tail - m->head;
}

void
mark_release(struct mark *m)
{
	free(m->ring);
	memset(m, 0, sizeof(*m));
}
