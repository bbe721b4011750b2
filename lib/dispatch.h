/* dispatch.h - which job is fed next, decided in memory. Knows the jobs that a
 * worker has read of and that have not ended: ready (a heap on the time of
 * admission plus a penalty of the priority, which is ageing without sorting
 * again: a job is overtaken only by those admitted within its penalty after it),
 * timed (a heap on the time they are due), parked (their lane is full: lane.h), or
 * taken (handed out).
 * Times are milliseconds of any one clock. No I/O, no printing. */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byno.h"
#include "heap.h"
#include "lane.h"

enum { DISPATCH_PRIOS = 3, DISPATCH_SLOTS = 64 };

enum dispatch_place { DISPATCH_READY, DISPATCH_TIMED, DISPATCH_PARKED, DISPATCH_TAKEN };

struct dispatch_job {
	int64_t no;
	int prio;               /* 0 High, 1 Medium, 2 Low */
	int n;                  /* its last transition */
	int suspect;
	int64_t key;            /* ready: the order; timed: when due */
	int64_t admitted;
	enum dispatch_place place;
	struct lane *lane;      /* its tenant's, or NULL */
	struct lane *whole;     /* taken: the pipeline's that it counts in, or NULL */
	/* Taken: queued again behind our back (a gate opened, run again by hand) before we had heard how our
	 * attempt was settled; 0: not. */
	int later, later_suspect;
	int64_t later_due;
	struct dispatch_job *next;      /* in a bucket, or spare */
};

struct dispatch {
	struct heap ready, timed;
	struct lanes lanes;
	int64_t penalty_ms[DISPATCH_PRIOS];
	size_t ready_n[DISPATCH_PRIOS];
	struct byno known;
	struct dispatch_job *spare;
};
/* How much later than a High job admitted at the same moment. */
#define DISPATCH_INIT { .penalty_ms = { 0, 30000, 120000 }, .lanes = LANES_INIT }

/* A job that was read: admitted age_ms ago, due in wait_ms; lane: the id of its
 * tenant's, or 0. False: known already. */
bool dispatch_add(struct dispatch *d, int64_t no, int prio, int n, int suspect,
    int64_t age_ms, int64_t wait_ms, int lane, int64_t now);

/* Timed jobs that are due are timed no more. True: there was one. */
bool dispatch_due(struct dispatch *d, int64_t now);
/* The job to feed next, or NULL: stays first until dispatch_take. */
struct dispatch_job *dispatch_peek(struct dispatch *d, int64_t now);
/* Takes the job that dispatch_peek returned. */
void dispatch_take(struct dispatch *d);
/* A job that was taken is queued again, due in wait_ms. suspect -1: as it was. */
void dispatch_again(struct dispatch *d, int64_t no, int n, int suspect, int64_t wait_ms, int64_t now);
/* A job that was taken has ended or is not ours. */
void dispatch_forget(struct dispatch *d, int64_t no);
/* The same after its transition n, unless it was queued again since then. */
void dispatch_over(struct dispatch *d, int64_t no, int n, int64_t now);
/* Forgets the jobs that are not taken of these slots (no mod 64). */
void dispatch_drop(struct dispatch *d, uint64_t slots);

/* The ledger says that so many more of a lane may be taken. */
void dispatch_room(struct dispatch *d, int lane, int room);
/* It says that a lane is full. */
void dispatch_full(struct dispatch *d, int lane);
/* The ledger counts a job that was taken in these lanes (ids, or 0). */
void dispatch_counts(struct dispatch *d, int64_t no, int lane, int whole);
/* Limits changed: forgets all that is not taken; whole: the pipeline's lane, or 0. */
void dispatch_limits(struct dispatch *d, int whole);

/* Lowers low[prio] to below every known job. */
void dispatch_low(const struct dispatch *d, int64_t low[DISPATCH_PRIOS]);
/* Milliseconds until a timed job is due, at most max. */
int64_t dispatch_wait(const struct dispatch *d, int64_t now, int64_t max);

void dispatch_release(struct dispatch *d);

#endif
