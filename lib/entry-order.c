#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "runs.h"

static int
compare(const struct buf *a, const struct buf *b)
{
	size_t least = a->len < b->len ? a->len : b->len;
	int r = least ? memcmp(a->p, b->p, least) : 0;

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

/* A row of job_many has jobs of one pipeline, priority and tenant. */
static int
by_kind(const void *va, const void *vb)
{
	const struct entry *a = *(struct entry *const *)va, *b = *(struct entry *const *)vb;
	int r = compare(&a->pipeline, &b->pipeline);

	if (!r)
		r = a->prio - b->prio;
	if (!r)
		r = compare(&a->tenant, &b->tenant);
	return r ? r : (a > b) - (a < b);
}

void
entry_order(struct entry *q, size_t n, struct entry **order)
{
	for (size_t i = 0; i < n; i++)
		order[i] = &q[i];
	if (n >= RUNS_LEAST)
		qsort(order, n, sizeof(*order), by_kind);
	for (size_t i = 0; i < n; i++)
		order[i]->row = (int)i;
}
