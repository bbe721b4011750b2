/* pg.h - PostgreSQL, the one module that knows libpq (but for hint_hear.c and pgpool_*.c).
 *
 * A connection, and calls on it: one statement, prepared at its first use,
 * parameters and results in binary, one round trip and one transaction each.
 * Sessions get statement_timeout and idle_in_transaction_session_timeout of
 * PG_TIMEOUT_MS, keepalives, and UTC. Functions return a status and leave a
 * sentence in db->err; they never print and never exit (but see mem.h).
 * Not thread-safe per object.
 *
 *     struct pg_args a = PG_ARGS_INIT;
 *     int no = pg_array(&a, PG_INT8), line = pg_array(&a, PG_TEXT);
 *     pg_put_i64(&a, no, 17);
 *     pg_put(&a, line, p, len);            // or pg_put_null(&a, line)
 *     st = pg_call(&db, "select ... from f($1, $2)", &a);
 *     for (int i = 0; i < pg_rows(&db); i++) ... pg_i64(&db, i, 0) ...
 */
#ifndef PG_H
#define PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum { PG_TIMEOUT_MS = 3000, PG_ARGS_MAX = 32, PG_STATEMENTS = 48, PG_TRIES = 5 };

/* What a failure means for the caller. */
enum pg_status {
	PG_OK,
	PG_RETRY,       /* classes 40, 53, 55, 57, 58: nothing was done, the same call may pass later */
	PG_LOST,        /* class 08, or the connection is gone: what became of the call is unknown */
	PG_DATA,        /* classes 22, 23 and 54: something in the batch; halve it */
	PG_STOP,        /* SL001, SL002: the ledger refuses to go on, a person decides */
	PG_FENCED,      /* SL003: this worker was taken over */
	PG_BUG          /* anything else: wrong schema, rights, syntax */
};

enum pg_type { PG_BOOL, PG_BYTEA, PG_INT2, PG_INT4, PG_INT8, PG_FLOAT4, PG_FLOAT8, PG_TEXT, PG_UUID };

struct pg_arg {
	enum pg_type type;
	bool array, nulls, some;        /* there are nulls; there are others */
	bool lean;              /* pg_args_lean */
	uint32_t n;             /* values put so far */
	struct buf b;           /* owned; kept for the next batch */
};

struct pg_args {
	struct pg_arg a[PG_ARGS_MAX];
	int n;
};
#define PG_ARGS_INIT { .n = 0 }

struct pg {
	void *conn, *res;       /* PGconn, PGresult: owned */
	const char *name;       /* what the server calls the session; NULL: the program's name */
	const char *sql[PG_STATEMENTS];         /* prepared as "s0", "s1", ... */
	int prepared;
	bool lost;              /* PG_LOST was returned: nothing is asked of this connection any more */
	bool sent;              /* between pg_send and pg_wait */
	bool turn;              /* SL010 came since pg_send */
	char state[6];          /* SQLSTATE of the last failure, or "" */
	char err[1024];         /* a sentence, with detail and hint */
};
#define PG_INIT { .conn = NULL }

/* Connects to conninfo (a libpq string or URI), trying again with a backoff for
 * wait_ms while the server is not there. PG_OK; PG_LOST: no server in time;
 * PG_BUG: it refuses us (password, no such database). */
enum pg_status pg_open(struct pg *db, const char *conninfo, unsigned wait_ms);
/* The same once, and to the server that like is connected to, if conninfo names several. */
enum pg_status pg_open_like(struct pg *db, const char *conninfo, const struct pg *like);
void pg_close(struct pg *db);

/* The ledger's identity. version: what the caller needs at least. PG_RETRY when
 * the schema is older (somebody will run sluice migrate); PG_BUG when there is
 * none, or one that no longer takes programs as old as this build (the newest of
 * lib/ledger when it was made). A newer schema is fine. db->err names the
 * remedy. Any pointer may be NULL; uuid: 37 bytes. */
enum pg_status pg_ledger(struct pg *db, int version, char *uuid, int *epoch);

/* Parameters, in order. Each call starts the next one and returns its index. */
void pg_args_reset(struct pg_args *a);
void pg_args_free(struct pg_args *a);
void pg_args_lean(struct pg_args *a);   /* of those there are, an array of nothing but nulls goes as a null */
int pg_scalar(struct pg_args *a, enum pg_type type);    /* then exactly one pg_put */
int pg_array(struct pg_args *a, enum pg_type type);     /* then any number */
/* The next value. A NUL in PG_TEXT becomes U+FFFD: PostgreSQL has none. PG_UUID: 16 bytes. */
void pg_put(struct pg_args *a, int i, const void *p, size_t len);
void pg_puts(struct pg_args *a, int i, const char *s);  /* NULL: null */
void pg_put_i64(struct pg_args *a, int i, int64_t v);   /* BOOL and INT types */
void pg_put_f64(struct pg_args *a, int i, double v);    /* FLOAT types */
void pg_put_null(struct pg_args *a, int i);

/* For pg.c: the parameter's bytes, finished; NULL for a null. */
const char *pg_arg_bytes(struct pg_arg *g);

/* One call. sql must be a string that lives as long as db (it names the prepared
 * statement). a may be NULL. Rows stay until the next call. */
enum pg_status pg_call(struct pg *db, const char *sql, struct pg_args *a);

/* The same in two steps, to do something else meanwhile: but no other call on db. pg_wait
 * only after a pg_send that returned PG_OK. */
enum pg_status pg_send(struct pg *db, const char *sql, struct pg_args *a);
enum pg_status pg_wait(struct pg *db);
/* From here on the ledger says when an admission has its turn (SL010, lib/ledger/0024-ahead.sql). */
enum pg_status pg_turns(struct pg *db);
/* Waits until the call that is under way has its turn; false: it is done. */
bool pg_turn(struct pg *db);
/* The rows of the last call become kept's, which has no connection, only them; db is free for the next one. */
void pg_keep(struct pg *kept, struct pg *db);
/* Whether pg_wait would not wait, but perhaps for the commit; the descriptor that becomes readable towards that. */
bool pg_done(struct pg *db);
int pg_fd(const struct pg *db);

/* The same, a few times over half a second while the status is PG_RETRY. */
enum pg_status pg_call_again(struct pg *db, const char *sql, struct pg_args *a);

/* Results. Columns count from 0. Integers of any width; NULL is 0. */
int pg_rows(const struct pg *db);
bool pg_null(const struct pg *db, int row, int col);
int64_t pg_i64(const struct pg *db, int row, int col);
double pg_f64(const struct pg *db, int row, int col);   /* float4, float8 */
bool pg_bool(const struct pg *db, int row, int col);
/* Bytes of text, bytea, uuid (16): borrowed until the next call, NUL after them. */
const char *pg_bytes(const struct pg *db, int row, int col, size_t *len);

/* An array of a result, element by element: n are left. Borrowed as pg_bytes. */
struct pg_list {
	const unsigned char *p, *end;
	size_t n;
};
/* Of a null, and of none of one dimension, there are none. */
void pg_list(const struct pg *db, int row, int col, struct pg_list *l);
/* The next one's bytes, without a NUL after them; NULL: a null, or none is left. */
const char *pg_list_next(struct pg_list *l, size_t *len);
int64_t pg_list_i64(struct pg_list *l);         /* of any width; 0 for those */

/* XPERM, XTEMP (err.h) for a status that ends a program: PG_STOP and PG_BUG are
 * permanent, the rest temporary. */
int pg_exit(enum pg_status st);

#endif
