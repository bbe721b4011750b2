/* pgturn.c - the ledger's word, in the middle of a call, that an admission has its turn. */
#include "pg_int.h"

#include <poll.h>
#include <string.h>

static PQnoticeReceiver others;         /* libpq's own */

static void
notice(void *db, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state && !strcmp(state, "SL010"))
		((struct pg *)db)->turn = true;
	else
		others(NULL, res);
}

enum pg_status
pg_turns(struct pg *db)
{
	PQnoticeReceiver was = PQsetNoticeReceiver(db->conn, notice, db);

	if (was != notice)
		others = was;
	return pg_call(db, "select set_config('sluice.turn', 'on', false)", NULL);
}

bool
pg_turn(struct pg *db)
{
	struct pollfd fd = { .fd = PQsocket(db->conn), .events = POLLIN };

	/* PQisBusy reads what came: the turn may be in it. */
	while (PQisBusy(db->conn) && !db->turn) {
		poll(&fd, 1, -1);
		if (!PQconsumeInput(db->conn))
			break;
	}
	return db->turn && PQisBusy(db->conn);
}
