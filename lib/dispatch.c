#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* How much later than a High job admitted at the same moment: SEMANTICS and
 * LEDGER. Low always moves, for in the end it is the oldest. */
static const int64_t penalty_ms[DISPATCH_PRIOS] = { 0, 30000, 120000 };

static bool
before(const struct dispatch_job *a, const struct dispatch_job *b)
{
	return a->key != b->key ? a->key < b->key : a->no < b->no;
}

static void
sift_up(struct dispatch_heap *h, size_t i)
{
	struct dispatch_job *j = h->job[i];

	for (; i && before(j, h->job[(i - 1) / 2]); i = (i - 1) / 2)
		h->job[i] = h->job[(i - 1) / 2];
	h->job[i] = j;
}

static void
sift_down(struct dispatch_heap *h, size_t i)
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

static void
push(struct dispatch_heap *h, struct dispatch_job *j)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 256;
		h->job = mem_array(h->job, h->cap, sizeof(struct dispatch_job *));
	}
	h->job[h->n] = j;
	sift_up(h, h->n++);
}

static struct dispatch_job *
pop(struct dispatch_heap *h)
{
	struct dispatch_job *j = h->job[0];

	h->job[0] = h->job[--h->n];
	if (h->n)
		sift_down(h, 0);
	return j;
}

static struct dispatch_job **
find(const struct dispatch *d, int64_t no)
{
	/* Numbers are dense: their low bits spread well, but the slots of other
	 * workers leave holes in them, so these are folded in. */
	struct dispatch_job **p = &d->bucket[(size_t)(no ^ no >> 6) & (d->buckets - 1)];

	while (*p && (*p)->no != no)
		p = &(*p)->next;
	return p;
}

static void
grow(struct dispatch *d)
{
	size_t old_n = d->buckets;
	struct dispatch_job **old = d->bucket;

	d->buckets = old_n ? old_n * 2 : 1024;
	d->bucket = mem_array(NULL, d->buckets, sizeof(struct dispatch_job *));
	memset(d->bucket, 0, d->buckets * sizeof(struct dispatch_job *));
	for (size_t i = 0; i < old_n; i++)
		while (old[i]) {
			struct dispatch_job *j = old[i], **p = find(d, j->no);

			old[i] = j->next;
			j->next = *p;
			*p = j;
		}
	free(old);
}

static void
place(struct dispatch *d, struct dispatch_job *j, int64_t wait_ms, int64_t now)
{
	if (wait_ms > 0) {
		j->place = DISPATCH_TIMED;
		j->key = now + wait_ms;
		push(&d->timed, j);
		return;
	}
	j->place = DISPATCH_READY;
	j->key = j->admitted + penalty_ms[j->prio];
	d->ready_n[j->prio]++;
	push(&d->ready, j);
}

bool
dispatch_add(struct dispatch *d, int64_t no, int prio, int n, int suspect,
    int64_t age_ms, int64_t wait_ms, int64_t now)
{
	struct dispatch_job *j, **at;

	if (d->known >= d->buckets)
		grow(d);
	at = find(d, no);
	if (*at)
		return false;
	j = d->spare;
	if (j)
		d->spare = j->next;
	else
		j = mem_alloc(sizeof(*j));
	*j = (struct dispatch_job){ .no = no, .prio = prio, .n = n, .suspect = suspect, .admitted = now - age_ms };
	*at = j;
	d->known++;
	place(d, j, wait_ms, now);
	return true;
}

struct dispatch_job *
dispatch_peek(struct dispatch *d, int64_t now)
{
	while (d->timed.n && d->timed.job[0]->key <= now)
		place(d, pop(&d->timed), 0, now);
	return d->ready.n ? d->ready.job[0] : NULL;
}

void
dispatch_take(struct dispatch *d)
{
	struct dispatch_job *j = pop(&d->ready);

	d->ready_n[j->prio]--;
	j->place = DISPATCH_TAKEN;
}

void
dispatch_again(struct dispatch *d, int64_t no, int n, int suspect, int64_t wait_ms, int64_t now)
{
	struct dispatch_job *j = d->buckets ? *find(d, no) : NULL;

	if (!j || j->place != DISPATCH_TAKEN)
		return;
	j->n = n;
	if (suspect >= 0)
		j->suspect = suspect;
	place(d, j, wait_ms, now);
}

void
dispatch_forget(struct dispatch *d, int64_t no)
{
	struct dispatch_job **at, *j;

	if (!d->buckets || !(j = *(at = find(d, no))))
		return;
	*at = j->next;
	j->next = d->spare;
	d->spare = j;
	d->known--;
}

static void
drop(struct dispatch *d, struct dispatch_heap *h, uint64_t slots)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct dispatch_job *j = h->job[i];

		if (!(slots >> (j->no % DISPATCH_SLOTS) & 1)) {
			h->job[kept++] = j;
			continue;
		}
		if (j->place == DISPATCH_READY)
			d->ready_n[j->prio]--;
		dispatch_forget(d, j->no);
	}
	h->n = kept;
	for (size_t i = kept / 2; i-- > 0; )
		sift_down(h, i);
}

void
dispatch_drop(struct dispatch *d, uint64_t slots)
{
	drop(d, &d->ready, slots);
	drop(d, &d->timed, slots);
}

void
dispatch_low(const struct dispatch *d, int64_t low[DISPATCH_PRIOS])
{
	for (size_t i = 0; i < d->buckets; i++)
		for (const struct dispatch_job *j = d->bucket[i]; j; j = j->next)
			if (j->no <= low[j->prio])
				low[j->prio] = j->no - 1;
}

int64_t
dispatch_wait(const struct dispatch *d, int64_t now, int64_t max)
{
	int64_t wait = d->timed.n ? d->timed.job[0]->key - now : max;

	return wait < 0 ? 0 : wait < max ? wait : max;
}

void
dispatch_release(struct dispatch *d)
{
	struct dispatch_job *j;

	for (size_t i = 0; i < d->buckets; i++)
		while ((j = d->bucket[i])) {
			d->bucket[i] = j->next;
			free(j);
		}
	while ((j = d->spare)) {
		d->spare = j->next;
		free(j);
	}
	free(d->bucket);
	free(d->ready.job);
	free(d->timed.job);
	memset(d, 0, sizeof(*d));
}
