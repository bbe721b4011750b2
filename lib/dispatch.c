#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static void
make_ready(struct dispatch *d, struct dispatch_job *j)
{
	j->place = DISPATCH_READY;
	d->ready_n[j->prio]++;
	if (j->lane)
		j->lane->loose++;
	heap_push(&d->ready, j);
}

static void
park(struct dispatch_job *j)
{
	j->place = DISPATCH_PARKED;
	heap_push(&j->lane->parked, j);
}

static void
place(struct dispatch *d, struct dispatch_job *j, int64_t wait_ms, int64_t now)
{
	if (wait_ms > 0) {
		j->place = DISPATCH_TIMED;
		j->key = now + wait_ms;
		heap_push(&d->timed, j);
		return;
	}
	j->key = j->admitted + d->penalty_ms[j->prio];
	if (j->lane && j->lane->loose >= j->lane->room)
		park(j);
	else
		make_ready(d, j);
}

static void
note_later(struct dispatch_job *j, int n, int suspect, int64_t due)
{
	if (j->place != DISPATCH_TAKEN || n <= j->n)
		return;
	j->later = n;
	j->later_suspect = suspect;
	j->later_due = due;
}

bool
dispatch_add(struct dispatch *d, int64_t no, int prio, int n, int suspect,
    int64_t age_ms, int64_t wait_ms, int lane, int64_t now)
{
	struct dispatch_job *j, **at;

	byno_room(&d->known);
	at = byno_find(&d->known, no);
	if (*at) {
		note_later(*at, n, suspect, now + wait_ms);
		return false;
	}
	j = d->spare;
	if (j)
		d->spare = j->next;
	else
		j = mem_alloc(sizeof(*j));
	*j = (struct dispatch_job){ .no = no, .prio = prio, .n = n, .suspect = suspect, .admitted = now - age_ms };
	if (lane)
		j->lane = lanes_get(&d->lanes, lane);
	byno_put(&d->known, at, j);
	place(d, j, wait_ms, now);
	return true;
}

/* The first ready job, out of the heap. */
static struct dispatch_job *
pop_ready(struct dispatch *d)
{
	struct dispatch_job *j = heap_pop(&d->ready);

	d->ready_n[j->prio]--;
	if (j->lane)
		j->lane->loose--;
	return j;
}

bool
dispatch_due(struct dispatch *d, int64_t now)
{
	bool any = false;

	for (; d->timed.n && d->timed.at[0].key <= now; any = true)
		place(d, heap_pop(&d->timed), 0, now);
	return any;
}

struct dispatch_job *
dispatch_peek(struct dispatch *d, int64_t now)
{
	dispatch_due(d, now);
	if (d->lanes.whole && d->lanes.whole->room <= 0)
		return NULL;
	while (d->ready.n && d->ready.at[0].job->lane && d->ready.at[0].job->lane->room <= 0)
		park(pop_ready(d));
	return d->ready.n ? d->ready.at[0].job : NULL;
}

void
dispatch_take(struct dispatch *d)
{
	struct dispatch_job *j = pop_ready(d);

	j->place = DISPATCH_TAKEN;
	j->whole = d->lanes.whole;
	lane_count(j->lane, 1);
	lane_count(j->whole, 1);
}

static void
give_back(struct dispatch_job *j)
{
	lane_count(j->lane, -1);
	lane_count(j->whole, -1);
	j->whole = NULL;
}

static struct dispatch_job *
taken(const struct dispatch *d, int64_t no)
{
	struct dispatch_job **at = byno_find(&d->known, no), *j = at ? *at : NULL;

	return j && j->place == DISPATCH_TAKEN ? j : NULL;
}

void
dispatch_again(struct dispatch *d, int64_t no, int n, int suspect, int64_t wait_ms, int64_t now)
{
	struct dispatch_job *j = taken(d, no);

	if (!j)
		return;
	give_back(j);
	if (j->later > n) {     /* and once more since then */
		n = j->later;
		suspect = j->later_suspect;
		wait_ms = j->later_due - now;
	}
	j->later = 0;
	j->n = n;
	if (suspect >= 0)
		j->suspect = suspect;
	place(d, j, wait_ms, now);
}

void
dispatch_forget(struct dispatch *d, int64_t no)
{
	struct dispatch_job **at = byno_find(&d->known, no), *j;

	if (!at || !*at)
		return;
	j = byno_cut(&d->known, at);
	if (j->place == DISPATCH_TAKEN)
		give_back(j);
	j->next = d->spare;
	d->spare = j;
}

void
dispatch_over(struct dispatch *d, int64_t no, int n, int64_t now)
{
	const struct dispatch_job *j = taken(d, no);

	if (j && j->later > n)
		dispatch_again(d, no, j->later, j->later_suspect, j->later_due - now, now);
	else
		dispatch_forget(d, no);
}

static void
drop(struct dispatch *d, struct heap *h, uint64_t slots)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct dispatch_job *j = h->at[i].job;

		if (!(slots >> (j->no % DISPATCH_SLOTS) & 1)) {
			h->at[kept++] = h->at[i];
			continue;
		}
		if (j->place == DISPATCH_READY) {
			d->ready_n[j->prio]--;
			if (j->lane)
				j->lane->loose--;
		}
		dispatch_forget(d, j->no);
	}
	h->n = kept;
	heap_mend(h);
}

void
dispatch_drop(struct dispatch *d, uint64_t slots)
{
	drop(d, &d->ready, slots);
	drop(d, &d->timed, slots);
	for (size_t i = 0; i < d->lanes.n; i++)
		drop(d, &d->lanes.lane[i]->parked, slots);
}

void
dispatch_room(struct dispatch *d, int lane, int room)
{
	struct lane *l = lanes_find(&d->lanes, lane);

	if (!l)
		return;
	l->asked = true;
	l->room = room;
	while (l->parked.n && l->loose < l->room)
		make_ready(d, heap_pop(&l->parked));
}

void
dispatch_full(struct dispatch *d, int lane)
{
	lanes_get(&d->lanes, lane)->room = 0;
}

void
dispatch_counts(struct dispatch *d, int64_t no, int lane, int whole)
{
	struct dispatch_job *j = taken(d, no);

	if (j) {
		lanes_recount(&d->lanes, &j->lane, lane);
		lanes_recount(&d->lanes, &j->whole, whole);
	}
}

void
dispatch_limits(struct dispatch *d, int whole)
{
	dispatch_drop(d, UINT64_MAX);
	lanes_reset(&d->lanes);
	d->lanes.whole = whole ? lanes_get(&d->lanes, whole) : NULL;
}

void
dispatch_low(const struct dispatch *d, int64_t low[DISPATCH_PRIOS])
{
	for (size_t i = 0; i < d->known.buckets; i++)
		for (const struct dispatch_job *j = d->known.bucket[i]; j; j = j->next)
			if (j->no <= low[j->prio])
				low[j->prio] = j->no - 1;
}

int64_t
dispatch_wait(const struct dispatch *d, int64_t now, int64_t max)
{
	int64_t wait = d->timed.n ? d->timed.at[0].key - now : max;

	return wait < 0 ? 0 : wait < max ? wait : max;
}

void
dispatch_release(struct dispatch *d)
{
	struct dispatch_job *j;

	for (size_t i = 0; i < d->known.buckets; i++)
		while (d->known.bucket[i])
			free(byno_cut(&d->known, &d->known.bucket[i]));
	while ((j = d->spare)) {
		d->spare = j->next;
		free(j);
	}
	free(d->known.bucket);
	free(d->ready.at);
	free(d->timed.at);
	lanes_release(&d->lanes);
	memset(d, 0, sizeof(*d));
}
