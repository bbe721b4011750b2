#include "heap.h"

#include <stdbool.h>

#include "dispatch.h"
#include "mem.h"

static bool
before(const struct dispatch_job *a, const struct dispatch_job *b)
{
	return a->key != b->key ? a->key < b->key : a->no < b->no;
}

static void
sift_up(struct heap *h, size_t i)
{
	struct dispatch_job *j = h->job[i];

	for (; i && before(j, h->job[(i - 1) / 2]); i = (i - 1) / 2)
		h->job[i] = h->job[(i - 1) / 2];
	h->job[i] = j;
}

static void
sift_down(struct heap *h, size_t i)
{
	struct dispatch_job *j = h->job[i];
	size_t c;

	while ((c = 2 * i + 1) < h->n) {
		if (c + 1 < h->n && before(h->job[c + 1], h->job[c]))
			c++;
		if (!before(h->job[c], j))
			break;
		h->job[i] = h->job[c];
		i = c;
	}
	h->job[i] = j;
}

void
heap_push(struct heap *h, struct dispatch_job *j)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 256;
		h->job = mem_array(h->job, h->cap, sizeof(struct dispatch_job *));
	}
	h->job[h->n] = j;
	sift_up(h, h->n++);
}

struct dispatch_job *
heap_pop(struct heap *h)
{
	struct dispatch_job *j = h->job[0];

	h->job[0] = h->job[--h->n];
	if (h->n)
		sift_down(h, 0);
	return j;
}

void
heap_mend(struct heap *h)
{
	for (size_t i = h->n / 2; i-- > 0; )
		sift_down(h, i);
}
