/* pg_int.h - what the parts of pg share with hint_hear.c and pgpool_*.c. Internal: use pg.h. */
#ifndef PG_INT_H
#define PG_INT_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg.h"

/* What sets up a session. */
const char *pg_session(void);
/* Which prepared statement sql is, or -1. */
int pg_statement(const struct pg *db, const char *sql);
/* Arguments as libpq takes them: PG_ARGS_MAX of each at most. -1: too long. */
void pg_types(const struct pg_args *a, Oid *types);
int pg_values(struct pg_args *a, const char **vals, int *lens, int *formats);
/* What the failure in db->res means; fills db->err, db->state, db->lost. */
enum pg_status pg_failure(struct pg *db);
/* db->err = "WHAT: TEXT" on one line. */
void pg_set_err(struct pg *db, const char *what, const char *text);

/* A new connection, waited for. name: what the server calls it. With like: to the very server that like is connected to. */
PGconn *pg_connect(const char *conninfo, const char *name, const struct pg *like);
/* The same, only begun. first: of several servers in conninfo this one is tried first (counted on and on),
 * as libpq waits for ever for one that says nothing when it does not block. With like no name is looked up, so nothing
 * blocks. NULL: no memory. */
PGconn *pg_connect_begin(const char *conninfo, const char *name, unsigned first, const struct pg *like);

/* Whether the server, by what it said, will not change its mind. */
bool pg_refuses(const char *text);

#endif
