#include "heap.h"

#include <stdbool.h>

#include "dispatch.h"
#include "mem.h"

static bool
before(const struct heap_at *a, const struct heap_at *b)
{
	return a->key != b->key ? a->key < b->key : a->no < b->no;
}

static void
sift_up(struct heap *h, size_t i)
{
	struct heap_at x = h->at[i];

	for (; i && before(&x, &h->at[(i - 1) / 2]); i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = x;
}

static void
sift_down(struct heap *h, size_t i)
{
	struct heap_at x = h->at[i];
	size_t c;

	while ((c = 2 * i + 1) < h->n) {
		if (c + 1 < h->n && before(&h->at[c + 1], &h->at[c]))
			c++;
		if (!before(&h->at[c], &x))
			break;
		h->at[i] = h->at[c];
		i = c;
	}
	h->at[i] = x;
}

void
heap_push(struct heap *h, struct dispatch_job *j)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 256;
		h->at = mem_array(h->at, h->cap, sizeof(*h->at));
	}
	h->at[h->n] = (struct heap_at){ j->key, j->no, j };
	sift_up(h, h->n++);
}

struct dispatch_job *
heap_pop(struct heap *h)
{
	struct dispatch_job *j = h->at[0].job;

	h->at[0] = h->at[--h->n];
	if (h->n)
		sift_down(h, 0);
	return j;
}

void
heap_mend(struct heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->at[i].key = h->at[i].job->key;
	for (size_t i = h->n / 2; i-- > 0; )
		sift_down(h, i);
}
