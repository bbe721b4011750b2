/* pgpool_int.h - what pgpool.c (calls and their queue) and pgpool_link.c (a
 * connection's life) share. Internal: use pgpool.h. */
#ifndef PGPOOL_INT_H
#define PGPOOL_INT_H

#include "loop.h"
#include "pg_int.h"
#include "pgpool.h"

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_SETTING_UP, LINK_IDLE, LINK_PREPARING, LINK_RUNNING };

struct link {
	struct loop_io io;      /* first: ready() gets it */
	struct pgpool *pool;
	struct pg db;
	enum link_state state;
	struct pgcall *call;
	struct loop_timer retry;        /* while it is down */
	int64_t give_up_at, pause_ms;
	unsigned first;         /* of several servers, the one to begin with */
};

struct pgpool {
	const char *conninfo, *name;
	int version, n, queued;
	struct link *link;
	struct pgcall *first, **last, *spare;
	bool told;              /* of this outage */
	char err[1024];
	struct pgpool *next;
};

/* pgpool.c */
void pgpool_finish(struct pgcall *c, enum pg_status st, struct pg *db);
/* The next call that waits, or NULL. */
struct pgcall *pgpool_next(struct pgpool *p);
/* Calls that have waited since before fail. */
void pgpool_fail(struct pgpool *p, int64_t before);

/* pgpool_link.c */
void link_init(struct link *l, struct pgpool *p);
/* l is idle: it does c. */
void link_run(struct link *l, struct pgcall *c);
/* Stays awake for the answer to its call, for so long at the most. */
void link_wait(struct link *l, int64_t us);
/* Twice a second: gives up. */
void link_tick(struct link *l, int64_t now);

#endif
