/* pg_int.h - what the parts of pg share with hint_hear.c. Internal: use pg.h. */
#ifndef PG_INT_H
#define PG_INT_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "pg.h"

/* A new connection, waited for. name: what the server calls it. */
PGconn *pg_connect(const char *conninfo, const char *name);
/* The same, only begun, to the very server that like is connected to: no name is
 * looked up, so nothing blocks. NULL: no memory. */
PGconn *pg_connect_begin(const char *conninfo, const char *name, const struct pg *like);

/* Whether the server, by what it said, will not change its mind. */
bool pg_refuses(const char *text);

#endif
