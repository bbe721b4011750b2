/* lane.h - limits on what is in flight, as one worker sees them: for each lane
 * (a tenant's limit, or a pipeline's) what it holds, how many more it may take,
 * and the jobs that wait for that, put aside so that nobody looks at them. The
 * ledger decides: it tells the room and checks it again in each claim. */
#ifndef LANE_H
#define LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "heap.h"

struct lane {
	int id;
	int held;               /* taken by us and not given back */
	int room;               /* how many more we may take; 0 until the ledger said so */
	int told;               /* held, when the ledger was last told */
	int loose;              /* of its jobs, ready ones: not parked */
	bool asked;             /* the ledger has told room at least once */
	bool waits;             /* it knows of a job of ours that waits for room */
	struct heap parked;
};

struct lanes {
	struct lane **lane;     /* by id, ascending */
	size_t n, cap;
	struct lane *whole;     /* the pipeline's, or NULL */
};
#define LANES_INIT { .n = 0 }

/* The lane of this id (> 0), made if need be; lasts until lanes_reset or lanes_release. */
struct lane *lanes_get(struct lanes *ls, int id);
struct lane *lanes_find(const struct lanes *ls, int id);
/* n more of a lane (or NULL) are held, or -n fewer. Room that was used comes back
 * from the ledger only: others may be first. */
void lane_count(struct lane *l, int n);
/* What was counted in the lane *at belongs into the lane of this id, 0: none. */
void lanes_recount(struct lanes *ls, struct lane **at, int id);
/* True when the ledger should be asked now rather than at the next poll: held
 * shrank, or a lane is new, while jobs wait. */
bool lanes_eager(const struct lanes *ls, bool ready);
/* Forgets the lanes of which the ledger knows nothing; none may have parked jobs. */
void lanes_reset(struct lanes *ls);
void lanes_release(struct lanes *ls);

#endif
