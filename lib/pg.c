#include "pg_int.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "now.h"

enum {
	BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 1000,
	RESTORING = 1000000     /* is added to meta.oldest while sluice restore is at work */
};

/* libpq's messages end in a newline and may have several lines. */
void
pg_set_err(struct pg *db, const char *what, const char *text)
{
	size_t len;

	snprintf(db->err, sizeof(db->err), "%s: %s", what, text ? text : "out of memory");
	len = strlen(db->err);
	while (len && db->err[len - 1] == '\n')
		db->err[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)db->err[i] < ' ')
			db->err[i] = ' ';
}

static enum pg_status
classify(const struct pg *db, const char *state)
{
	if (PQstatus(db->conn) != CONNECTION_OK || !state || !strncmp(state, "08", 2))
		return PG_LOST;
	if (!strcmp(state, "SL001") || !strcmp(state, "SL002"))
		return PG_STOP;
	if (!strcmp(state, "SL003"))
		return PG_FENCED;
	if (!strncmp(state, "40", 2) || !strncmp(state, "53", 2) || !strncmp(state, "55", 2) ||
	    !strncmp(state, "57", 2) || !strncmp(state, "58", 2))
		return PG_RETRY;
	if (!strncmp(state, "22", 2) || !strncmp(state, "23", 2) || !strncmp(state, "54", 2))
		return PG_DATA;
	return PG_BUG;
}

enum pg_status
pg_failure(struct pg *db)
{
	const char *state = PQresultErrorField(db->res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(db->res, PG_DIAG_MESSAGE_PRIMARY);
	const char *hint = PQresultErrorField(db->res, PG_DIAG_MESSAGE_HINT);
	enum pg_status st = classify(db, state);
	size_t len;

	snprintf(db->state, sizeof(db->state), "%s", state ? state : "");
	pg_set_err(db, "database", text ? text : PQerrorMessage(db->conn));
	len = strlen(db->err);
	if (hint)
		snprintf(db->err + len, sizeof(db->err) - len, " (%s)", hint);
	else if (state)
		snprintf(db->err + len, sizeof(db->err) - len, " (%s)", state);
	/* What still comes in answer to this call would be taken for the next one's. */
	db->lost = st == PG_LOST;
	return st;
}

const char *
pg_session(void)
{
	static char sql[256];

	snprintf(sql, sizeof(sql), "set statement_timeout = %d; set idle_in_transaction_session_timeout = %d; "
	    "set timezone = 'UTC'; set client_min_messages = warning", PG_TIMEOUT_MS, PG_TIMEOUT_MS);
	return sql;
}

static enum pg_status
set_up(struct pg *db)
{
	PQclear(db->res);
	db->res = PQexec(db->conn, pg_session());
	return PQresultStatus(db->res) == PGRES_COMMAND_OK ? PG_OK : pg_failure(db);
}

static enum pg_status
connect_once(struct pg *db, const char *conninfo, const struct pg *like)
{
	const char *text;

	db->conn = pg_connect(conninfo, db->name ? db->name : err_prog(), like);
	if (PQstatus(db->conn) == CONNECTION_OK)
		return set_up(db);
	text = PQerrorMessage(db->conn);
	pg_set_err(db, conninfo && *conninfo ? "connect to the database"
	                                  : "connect to the database (SLUICE_DB is not set)", text);
	return pg_refuses(text) ? PG_BUG : PG_LOST;
}

enum pg_status
pg_open(struct pg *db, const char *conninfo, unsigned wait_ms)
{
	int64_t end = now_ms() + wait_ms;
	int pause_ms = BACKOFF_MIN_MS;
	enum pg_status st;

	for (;;) {
		pg_close(db);
		st = connect_once(db, conninfo, NULL);
		if (st != PG_LOST || now_ms() + pause_ms > end)
			return st;
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : pause_ms * 2;
	}
}

enum pg_status
pg_open_like(struct pg *db, const char *conninfo, const struct pg *like)
{
	pg_close(db);
	return connect_once(db, conninfo, like);
}

void
pg_close(struct pg *db)
{
	PQclear(db->res);
	PQfinish(db->conn);
	db->conn = db->res = NULL;
	db->prepared = 0;
	db->lost = db->sent = false;
}

int
pg_statement(const struct pg *db, const char *sql)
{
	for (int i = 0; i < db->prepared; i++)
		if (db->sql[i] == sql || !strcmp(db->sql[i], sql))
			return i;
	return -1;
}

void
pg_types(const struct pg_args *a, Oid *types)
{
	static const Oid scalar[] = { 16, 17, 21, 23, 20, 700, 701, 25, 2950 };
	static const Oid array[] = { 1000, 1001, 1005, 1007, 1016, 1021, 1022, 1009, 2951 };

	for (int i = 0; a && i < a->n; i++)
		types[i] = a->a[i].array ? array[a->a[i].type] : scalar[a->a[i].type];
}

/* -1: one is longer than the protocol allows. */
int
pg_values(struct pg_args *a, const char **vals, int *lens, int *formats)
{
	for (int i = 0; a && i < a->n; i++) {
		struct pg_arg *g = &a->a[i];

		if (g->b.len > INT32_MAX)
			return -1;
		vals[i] = pg_arg_bytes(g);
		lens[i] = (int)g->b.len;
		formats[i] = 1;
	}
	return 0;
}

static enum pg_status
prepare(struct pg *db, const char *sql, const struct pg_args *a, int *which)
{
	Oid types[PG_ARGS_MAX];
	char name[16];

	if (db->prepared == PG_STATEMENTS) {
		pg_set_err(db, "prepare", "too many statements");
		return PG_BUG;
	}
	*which = db->prepared;
	snprintf(name, sizeof(name), "s%d", *which);
	pg_types(a, types);
	PQclear(db->res);
	db->res = PQprepare(db->conn, name, sql, a ? a->n : 0, types);
	if (PQresultStatus(db->res) != PGRES_COMMAND_OK)
		return pg_failure(db);
	db->sql[db->prepared++] = sql;
	return PG_OK;
}

/* A call as libpq takes it. */
struct call {
	const char *vals[PG_ARGS_MAX];
	int lens[PG_ARGS_MAX], formats[PG_ARGS_MAX];
	char name[16];
};

static enum pg_status
make_ready(struct pg *db, struct call *c, const char *sql, struct pg_args *a)
{
	int which = pg_statement(db, sql);
	enum pg_status st;

	db->state[0] = '\0';
	if (db->lost)
		return PG_LOST;
	if (db->sent) {
		pg_set_err(db, "database", "a call while another is under way");
		return PG_BUG;
	}
	if (which < 0 && (st = prepare(db, sql, a, &which)) != PG_OK)
		return st;
	if (pg_values(a, c->vals, c->lens, c->formats) < 0) {
		snprintf(db->state, sizeof(db->state), "22000");
		pg_set_err(db, "database", "a batch of more than 2 GiB");
		return PG_DATA;
	}
	snprintf(c->name, sizeof(c->name), "s%d", which);
	PQclear(db->res);
	db->res = NULL;
	return PG_OK;
}

static enum pg_status
judge(struct pg *db)
{
	ExecStatusType got = PQresultStatus(db->res);

	return got == PGRES_TUPLES_OK || got == PGRES_COMMAND_OK ? PG_OK : pg_failure(db);
}

enum pg_status
pg_call(struct pg *db, const char *sql, struct pg_args *a)
{
	struct call c;
	enum pg_status st = make_ready(db, &c, sql, a);

	if (st != PG_OK)
		return st;
	db->res = PQexecPrepared(db->conn, c.name, a ? a->n : 0, c.vals, c.lens, c.formats, 1);
	return judge(db);
}

enum pg_status
pg_send(struct pg *db, const char *sql, struct pg_args *a)
{
	struct call c;
	enum pg_status st = make_ready(db, &c, sql, a);

	if (st != PG_OK)
		return st;
	db->turn = false;
	if (!PQsendQueryPrepared(db->conn, c.name, a ? a->n : 0, c.vals, c.lens, c.formats, 1))
		return pg_failure(db);
	db->sent = true;
	return PG_OK;
}

enum pg_status
pg_wait(struct pg *db)
{
	PGresult *res;

	db->sent = false;
	while ((res = PQgetResult(db->conn))) {
		PQclear(db->res);
		db->res = res;
		if (PQstatus(db->conn) != CONNECTION_OK)
			break;
	}
	return judge(db);
}

bool
pg_done(struct pg *db)
{
	return !PQconsumeInput(db->conn) || !PQisBusy(db->conn);
}

int
pg_fd(const struct pg *db)
{
	return PQsocket(db->conn);
}

enum pg_status
pg_call_again(struct pg *db, const char *sql, struct pg_args *a)
{
	enum pg_status st = PG_RETRY;

	for (int i = 0; i < PG_TRIES; i++) {
		if (i)
			poll(NULL, 0, 20 << i);
		st = pg_call(db, sql, a);
		if (st != PG_RETRY)
			break;
	}
	return st;
}

static enum pg_status
too_old(struct pg *db, int version)
{
	snprintf(db->err, sizeof(db->err), "database: its ledger is older than version %d, which this program "
	    "needs; run: sluice migrate", version);
	return PG_RETRY;
}

enum pg_status
pg_ledger(struct pg *db, int version, char *uuid, int *epoch)
{
	enum pg_status st = pg_call(db, "select ledger::text, epoch, version, oldest from sluice.identity()", NULL);

	if (st == PG_BUG && (!strcmp(db->state, "3F000") || !strcmp(db->state, "42883"))) {
		pg_set_err(db, "database", "it has no ledger; run: sluice migrate");
		return PG_BUG;
	}
	if (st == PG_BUG && !strcmp(db->state, "42703"))        /* no column oldest: before version 3 */
		return too_old(db, version > 3 ? version : 3);
	if (st != PG_OK)
		return st;
	if ((int)pg_i64(db, 0, 2) < version)
		return too_old(db, version);
	if ((int)pg_i64(db, 0, 3) >= RESTORING) {
		pg_set_err(db, "database", "its ledger is being restored; see: sluice restore --finish");
		return PG_BUG;
	}
	if (LEDGER_VERSION < (int)pg_i64(db, 0, 3)) {
		snprintf(db->err, sizeof(db->err), "database: its ledger takes programs made for version %d or newer, "
		    "this one was made for %d", (int)pg_i64(db, 0, 3), LEDGER_VERSION);
		return PG_BUG;
	}
	if (uuid)
		snprintf(uuid, 37, "%s", pg_bytes(db, 0, 0, NULL));
	if (epoch)
		*epoch = (int)pg_i64(db, 0, 1);
	return PG_OK;
}

int
pg_exit(enum pg_status st)
{
	return st == PG_STOP || st == PG_BUG ? XPERM : XTEMP;
}
