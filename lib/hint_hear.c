#include "hint.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "pg_int.h"

enum { CONNECT_MS = 5000, PAUSE_MS = 1000, PAUSE_MOST_MS = 16000 };

/* A session's last words come as a notice: lost() says it in our way. */
static void
hush(void *unused, const PGresult *res)
{
	(void)unused, (void)res;
}

static void
begin(struct hint_ear *e, int64_t now)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s hints", err_prog());
	e->conn = pg_connect_begin(e->conninfo, name, 0, e->near);
	if (e->conn)
		PQsetNoticeReceiver(e->conn, hush, NULL);
	e->state = HINT_CONNECTING;
	e->writes = true;       /* as libpq wants it: first for the connection to be made */
	e->give_up_at = now + CONNECT_MS;
}

/* The poll goes on, so this is no more than slower. */
static void
lost(struct hint_ear *e, int64_t now)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", e->conn ? PQerrorMessage(e->conn) : "out of memory");
	text[strcspn(text, "\n")] = '\0';
	if (!e->told)
		warn("no hints for now: %s", *text ? text : "the server does not answer");
	e->told = true;
	e->pause_ms = !e->pause_ms ? PAUSE_MS : e->pause_ms * 2 < PAUSE_MOST_MS ? e->pause_ms * 2 : PAUSE_MOST_MS;
	e->retry_at = now + e->pause_ms;
	hint_release(e);
}

static bool
ready(const struct hint_ear *e)
{
	struct pollfd p = { .fd = PQsocket(e->conn), .events = e->writes ? POLLOUT : POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void
connecting(struct hint_ear *e, int64_t now)
{
	if (!e->conn || PQstatus(e->conn) == CONNECTION_BAD) {
		lost(e, now);
		return;
	}
	if (!ready(e))
		return;
	switch (PQconnectPoll(e->conn)) {
	case PGRES_POLLING_READING:
		e->writes = false;
		break;
	case PGRES_POLLING_WRITING:
		e->writes = true;
		break;
	case PGRES_POLLING_OK:
		e->state = HINT_ASKING;
		if (PQsetnonblocking(e->conn, 1) < 0 || !PQsendQuery(e->conn, "listen " HINT_CHANNEL))
			lost(e, now);
		break;
	default:
		lost(e, now);
	}
}

/* True when we have begun to hear. */
static bool
asking(struct hint_ear *e, int64_t now)
{
	PGresult *res;
	int left = PQflush(e->conn);
	bool good = true;

	if (left < 0 || !PQconsumeInput(e->conn)) {
		lost(e, now);
		return false;
	}
	e->writes = left > 0;
	while (good && !PQisBusy(e->conn)) {
		if (!(res = PQgetResult(e->conn))) {
			e->state = HINT_HEARING;
			e->told = false;
			e->pause_ms = 0;
			return true;
		}
		good = PQresultStatus(res) == PGRES_COMMAND_OK;
		PQclear(res);
	}
	if (!good)
		lost(e, now);
	return false;
}

static bool
hearing(struct hint_ear *e, int64_t now)
{
	bool heard = false;
	PGnotify *n;

	if (!PQconsumeInput(e->conn)) {
		lost(e, now);
		return false;
	}
	while ((n = PQnotifies(e->conn))) {
		heard |= !strcmp(n->extra, e->pipeline);
		PQfreemem(n);
	}
	return heard;
}

bool
hint_hear(struct hint_ear *e, int64_t now)
{
	if (e->state == HINT_OFF && now >= e->retry_at)
		begin(e, now);
	if (e->state == HINT_CONNECTING)
		connecting(e, now);
	if ((e->state == HINT_CONNECTING || e->state == HINT_ASKING) && now >= e->give_up_at)
		lost(e, now);
	if (e->state == HINT_ASKING)
		return asking(e, now);
	return e->state == HINT_HEARING && hearing(e, now);
}

int
hint_fd(const struct hint_ear *e)
{
	return e->state != HINT_OFF && !e->writes && e->conn ? PQsocket(e->conn) : -1;
}

int
hint_fd_out(const struct hint_ear *e)
{
	return e->state != HINT_OFF && e->writes && e->conn ? PQsocket(e->conn) : -1;
}

void
hint_release(struct hint_ear *e)
{
	PQfinish(e->conn);
	e->conn = NULL;
	e->state = HINT_OFF;
	e->writes = false;
}
