/* pgpool.h - calls of PostgreSQL that do not wait: a few connections in the
 * caller's loop (loop.h), one call on each at a time, the others in a queue.
 *
 *     struct pgcall *c = pgpool_call(pool, "select body from f($1)", done, ctx);
 *     pg_puts(&c->args, pg_scalar(&c->args, PG_TEXT), "x");
 *     pgpool_run(c);                  // done(ctx, st, db) is called once, later or now
 *
 * In done rows are read from db by pg_rows, pg_bytes, ... until it returns; for a
 * status other than PG_OK db may be NULL and pgpool_error says why. Calls time out
 * as pg.h's do. A connection that is lost is made again with a backoff; while there
 * is none, calls fail at once with PG_LOST. Never prints but when the database
 * goes and when it is back; never exits. One thread. */
#ifndef PGPOOL_H
#define PGPOOL_H

#include "pg.h"

struct pgpool;

typedef void pgpool_done(void *ctx, enum pg_status st, struct pg *db);

struct pgcall {
	struct pgpool *pool;
	const char *sql;        /* lives as long as the process */
	pgpool_done *done;
	void *ctx;
	struct pg_args args;
	int64_t since;
	struct pgcall *next;
};

/* n connections to conninfo; version: what the ledger must be at least. After loop_open. */
struct pgpool *pgpool_open(const char *conninfo, const char *name, int n, int version);

/* A call to be filled and run. */
struct pgcall *pgpool_call(struct pgpool *p, const char *sql, pgpool_done *done, void *ctx);
void pgpool_run(struct pgcall *c);
/* The same for a call that takes less than a millisecond: where no other is under way, its answer
 * is waited for, half a millisecond at most, awake, so that it costs one client no two sleeps. */
void pgpool_run_short(struct pgcall *c);

/* True when a call would find a connection. */
bool pgpool_up(const struct pgpool *p);
/* Why not, or what the last failure was. */
const char *pgpool_error(const struct pgpool *p);
void pgpool_close(struct pgpool *p);

#endif
