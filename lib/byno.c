#include "byno.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "mem.h"

struct dispatch_job **
byno_find(const struct byno *b, int64_t no)
{
	struct dispatch_job **p;

	if (!b->buckets)
		return NULL;
	/* Numbers are dense: their low bits spread well, but the slots of other
	 * workers leave holes in them, so these are folded in. */
	p = &b->bucket[(size_t)(no ^ no >> 6) & (b->buckets - 1)];
	while (*p && (*p)->no != no)
		p = &(*p)->next;
	return p;
}

void
byno_put(struct byno *b, struct dispatch_job **place, struct dispatch_job *j)
{
	j->next = *place;
	*place = j;
	b->n++;
}

struct dispatch_job *
byno_cut(struct byno *b, struct dispatch_job **place)
{
	struct dispatch_job *j = *place;

	*place = j->next;
	b->n--;
	return j;
}

void
byno_room(struct byno *b)
{
	struct byno old = *b;

	if (b->n < b->buckets)
		return;
	b->n = 0;
	b->buckets = old.buckets ? old.buckets * 2 : 1024;
	b->bucket = mem_array(NULL, b->buckets, sizeof(struct dispatch_job *));
	memset(b->bucket, 0, b->buckets * sizeof(struct dispatch_job *));
	for (size_t i = 0; i < old.buckets; i++)
		while (old.bucket[i]) {
			struct dispatch_job *j = byno_cut(&old, &old.bucket[i]);

			byno_put(b, byno_find(b, j->no), j);
		}
	free(old.bucket);
}
