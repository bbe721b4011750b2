/* admitting.h - batches on their way into the ledger, up to two at once, in their order: the second, on a connection of its
 * own, gets its numbers while the first is written and committed. That connection is opened when it is first of use; without
 * it batches go one after the other. No two of them may have a key in common (seen.h), or they change places when one fails.
 * Never prints; exits without memory (mem.h). One thread. */
#ifndef ADMITTING_H
#define ADMITTING_H

#include "admission.h"

enum { ADMITTING_WAYS = 2, ADMITTING_AGAIN_MS = 60000 };

struct admitting_way {
	struct pg db;
	struct entry *batch;            /* borrowed until admitting_free */
	size_t n;
	enum { WAY_SENT, WAY_LANDED, WAY_FAILED } state;
};

struct admitting {
	struct admitting_way way[ADMITTING_WAYS];
	int first, n;                   /* the oldest in use, and how many are */
	int ways;                       /* connections that there are */
	bool told;                      /* why there is but one */
	int64_t tried_ms;               /* when another was tried, or 0 */
	bool answers;                   /* as for admission_call */
	const char *conninfo;           /* borrowed */
};
#define ADMITTING_INIT { .way = { { .db = PG_INIT }, { .db = PG_INIT } }, .ways = 1 }

/* Connects, waiting wait_ms for the server, to a ledger of this version at least (pg_ledger). db->err of admitting_db says what failed. */
enum pg_status admitting_open(struct admitting *a, const char *conninfo, int version, unsigned wait_ms);
void admitting_close(struct admitting *a);
/* For other calls, while nothing is under way. */
struct pg *admitting_db(struct admitting *a);

/* Why there is no second connection, once for each time that it was tried (every ADMITTING_AGAIN_MS); else NULL. */
const char *admitting_alone(struct admitting *a);

/* Whether the oldest has to land before another can be sent. */
bool admitting_full(const struct admitting *a);
/* Sends what admission_ready made ready, when not full. False, and it is not taken: one before it has failed, or there is no second
 * connection; all that is under way is to be settled first, and it made ready again. */
bool admitting_send(struct admitting *a, struct entry *batch, size_t n);
/* The same when nothing is under way, which it always takes; one that is not ready counts as failed. */
void admitting_put(struct admitting *a, struct entry *batch, size_t n, bool ready);
/* Waits for the oldest, which is returned: WAY_LANDED, its rows in its db; or WAY_FAILED, and then nothing else is under way until
 * admission_call on its db has settled it. NULL: there is none. Then admitting_free. */
struct admitting_way *admitting_wait(struct admitting *a);
void admitting_free(struct admitting *a);

#endif
