/* lists.h - the calls of the ledger that an answer in JSON and a page have in common. */
#ifndef LISTS_H
#define LISTS_H

#include "api/api.h"

/* What a list was asked for. */
struct list {
	int64_t limit, cursor;
	bool total;
	const char *status, *priority, *since, *until, *sort, *kind;
};

/* Each is filled by c's parameters, to be run; NULL: a bad one was answered. Rows: (no, body), one
 * more than l->limit where there are more. */
struct pgcall *list_call(struct call *c, struct list *l, pgpool_done *done);
struct pgcall *dead_call(struct call *c, struct list *l, pgpool_done *done);

/* Row (body) or none. */
struct pgcall *letter_call(struct call *c, pgpool_done *done);
/* Rows (run, attempt, at, log, the pipeline's stages or null) of c's job; c->number: of this attempt only, unless 0. */
struct pgcall *logs_call(struct call *c, pgpool_done *done);
/* A call whose first arguments are the tenant and the id of c's job. */
struct pgcall *about_call(struct call *c, struct pgpool *pool, const char *sql, pgpool_done *done);

#endif
