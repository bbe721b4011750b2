#include "pgpool_int.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "err.h"
#include "now.h"

enum {
	ANSWER_MS = 8000,       /* after PG_TIMEOUT_MS the server is not there any more */
	PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 1000
};

static void run_next(struct link *l);

static void
down(struct link *l)
{
	struct pgpool *p = l->pool;
	struct pgcall *c = l->call;

	l->call = NULL;
	loop_off(&l->io);
	snprintf(p->err, sizeof(p->err), "%s", l->db.err);
	pg_close(&l->db);
	l->state = LINK_DOWN;
	l->pause_ms = !l->pause_ms ? PAUSE_MIN_MS : l->pause_ms * 2 < PAUSE_MAX_MS ? l->pause_ms * 2 : PAUSE_MAX_MS;
	loop_in(&l->retry, l->pause_ms);
	if (!pgpool_up(p)) {
		if (!p->told)
			warn("no ledger for now: %s", p->err);
		p->told = true;
		pgpool_fail(p, INT64_MAX);
	}
	if (c)
		pgpool_finish(c, PG_LOST, NULL);
}

static void
hush(void *unused, const PGresult *res)
{
	(void)unused, (void)res;
}

static void
connect_link(struct link *l)
{
	l->db.conn = pg_connect_begin(l->pool->conninfo, l->pool->name, l->first, NULL);
	l->state = LINK_CONNECTING;
	l->give_up_at = now_ms() + ANSWER_MS;
	if (!l->db.conn || PQstatus(l->db.conn) == CONNECTION_BAD) {
		pg_set_err(&l->db, "connect to the database", PQerrorMessage(l->db.conn));
		down(l);
		return;
	}
	PQsetNoticeReceiver(l->db.conn, hush, NULL);
	loop_on(&l->io, PQsocket(l->db.conn), EPOLLOUT);
}

/* What libpq still has to write, it writes when there is room. */
static void
flush(struct link *l)
{
	int left = PQflush(l->db.conn);

	if (left < 0) {
		pg_set_err(&l->db, "database", PQerrorMessage(l->db.conn));
		down(l);
		return;
	}
	loop_on(&l->io, PQsocket(l->db.conn), EPOLLIN | (left ? EPOLLOUT : 0));
}

static void
sent(struct link *l, int ok, enum link_state next)
{
	l->state = next;
	l->give_up_at = now_ms() + ANSWER_MS;
	if (ok) {
		flush(l);
		return;
	}
	pg_set_err(&l->db, "database", PQerrorMessage(l->db.conn));
	down(l);
}

static void
connecting(struct link *l)
{
	char sql[512];

	loop_off(&l->io);       /* what it goes on with may be another socket of the same number */
	switch (PQconnectPoll(l->db.conn)) {
	case PGRES_POLLING_READING:
		loop_on(&l->io, PQsocket(l->db.conn), EPOLLIN);
		break;
	case PGRES_POLLING_WRITING:
		loop_on(&l->io, PQsocket(l->db.conn), EPOLLOUT);
		break;
	case PGRES_POLLING_OK:
		PQsetnonblocking(l->db.conn, 1);
		snprintf(sql, sizeof(sql), "%s; select version from sluice.identity()", pg_session());
		sent(l, PQsendQuery(l->db.conn, sql), LINK_SETTING_UP);
		break;
	default:
		pg_set_err(&l->db, "connect to the database", PQerrorMessage(l->db.conn));
		down(l);
	}
}

static void
set_up(struct link *l, bool good)
{
	struct pgpool *p = l->pool;

	if (good && PQntuples(l->db.res) == 1 && strtol(PQgetvalue(l->db.res, 0, 0), NULL, 10) >= p->version) {
		l->state = LINK_IDLE;
		l->pause_ms = 0;
		if (p->told)
			info("the ledger is back");
		p->told = false;
		run_next(l);
		return;
	}
	if (good || !strcmp(l->db.state, "3F000") || !strcmp(l->db.state, "42883"))
		pg_set_err(&l->db, "database", good ? "its ledger is older than this program; run: sluice migrate"
		                                    : "it has no ledger; run: sluice migrate");
	down(l);
}

static void
send_call(struct link *l)
{
	struct pgcall *c = l->call;
	const char *vals[PG_ARGS_MAX];
	int lens[PG_ARGS_MAX], formats[PG_ARGS_MAX], which = pg_statement(&l->db, c->sql);
	Oid types[PG_ARGS_MAX];
	char name[16];

	snprintf(name, sizeof(name), "s%d", which < 0 ? l->db.prepared : which);
	if (which < 0) {
		if (l->db.prepared == PG_STATEMENTS)
			die(XBUG, "more than %d statements", PG_STATEMENTS);
		pg_types(&c->args, types);
		sent(l, PQsendPrepare(l->db.conn, name, c->sql, c->args.n, types), LINK_PREPARING);
	} else if (pg_values(&c->args, vals, lens, formats) < 0) {
		l->call = NULL;
		l->state = LINK_IDLE;
		pgpool_finish(c, PG_DATA, NULL);
	} else {
		sent(l, PQsendQueryPrepared(l->db.conn, name, c->args.n, vals, lens, formats, 1), LINK_RUNNING);
	}
}

static void
run_next(struct link *l)
{
	struct pgcall *c;

	while (l->state == LINK_IDLE && !l->call && (c = pgpool_next(l->pool)))
		link_run(l, c);
}

/* The whole answer is there, the last result of it in db.res. */
static void
answered(struct link *l)
{
	ExecStatusType got = PQresultStatus(l->db.res);
	bool good = got == PGRES_TUPLES_OK || got == PGRES_COMMAND_OK;
	enum pg_status st = good ? PG_OK : pg_failure(&l->db);
	struct pgcall *c = l->call;

	if (l->db.lost) {
		down(l);
	} else if (l->state == LINK_SETTING_UP) {
		set_up(l, good);
	} else if (l->state == LINK_PREPARING && good) {
		l->db.sql[l->db.prepared++] = c->sql;
		send_call(l);
		run_next(l);
	} else {
		if (!good)
			snprintf(l->pool->err, sizeof(l->pool->err), "%s", l->db.err);
		/* Not idle before c has read its rows: its next call must not end this connection. */
		l->call = NULL;
		if (c)
			pgpool_finish(c, st, &l->db);
		l->state = LINK_IDLE;
		run_next(l);
	}
}

static void
reading(struct link *l)
{
	PGresult *res;

	if (!PQconsumeInput(l->db.conn)) {
		pg_set_err(&l->db, "database", PQerrorMessage(l->db.conn));
		down(l);
		return;
	}
	while (l->state > LINK_CONNECTING && !PQisBusy(l->db.conn)) {
		res = PQgetResult(l->db.conn);
		if (res) {
			PQclear(l->db.res);
			l->db.res = res;
		} else if (l->state == LINK_IDLE) {
			break;
		} else {
			answered(l);
		}
	}
}

static void
ready(struct loop_io *io, uint32_t events)
{
	struct link *l = (struct link *)io;

	if (l->state == LINK_CONNECTING) {
		connecting(l);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		reading(l);
	if (l->state > LINK_CONNECTING && events & EPOLLOUT)
		flush(l);
}

void
link_run(struct link *l, struct pgcall *c)
{
	l->call = c;
	send_call(l);
}

void
link_wait(struct link *l, int64_t us)
{
	const struct pgcall *c = l->call;
	struct pollfd f = { .fd = PQsocket(l->db.conn), .events = POLLIN };
	int64_t end = now_us() + us;

	while (l->call == c && l->state == LINK_RUNNING && now_us() < end)
		if (poll(&f, 1, 0) > 0)
			reading(l);
}

static void
again(struct loop_timer *t)
{
	connect_link((struct link *)((char *)t - offsetof(struct link, retry)));
}

void
link_init(struct link *l, struct pgpool *p)
{
	l->io.fd = -1;
	l->io.ready = ready;
	l->retry.due = again;
	l->pool = p;
	connect_link(l);
}

void
link_tick(struct link *l, int64_t now)
{
	if (l->state == LINK_DOWN || l->state == LINK_IDLE || now <= l->give_up_at)
		return;
	if (l->state == LINK_CONNECTING)
		l->first++;     /* another server may say something */
	pg_set_err(&l->db, l->state == LINK_CONNECTING ? "connect to the database" : "database", "no answer");
	down(l);
}
