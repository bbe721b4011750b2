/* heap.h - a heap of jobs, the one with the smallest key (then number) first.
 * Owns its array, not the jobs. */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>
#include <stdint.h>

struct dispatch_job;

/* What is compared lies in the array, beside the job that it is of. */
struct heap_at {
	int64_t key, no;
	struct dispatch_job *job;
};

struct heap {
	struct heap_at *at;
	size_t n, cap;
};

void heap_push(struct heap *h, struct dispatch_job *j);
/* The first one, removed. There must be one. */
struct dispatch_job *heap_pop(struct heap *h);
/* In order again after jobs were taken out of h->at or their keys changed. */
void heap_mend(struct heap *h);

#endif
