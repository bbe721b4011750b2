/* heap.h - a heap of jobs, the one with the smallest key (then number) first.
 * Owns its array, not the jobs. */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>
#include <stdint.h>

struct dispatch_job;

struct heap {
	struct dispatch_job **job;
	size_t n, cap;
};

void heap_push(struct heap *h, struct dispatch_job *j);
/* The first one, removed. There must be one. */
struct dispatch_job *heap_pop(struct heap *h);
/* In order again after jobs were taken out of h->job or their keys changed. */
void heap_mend(struct heap *h);

#endif
