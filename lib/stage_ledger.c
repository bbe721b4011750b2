#include "stage_ledger.h"

#include <string.h>

#include "err.h"

enum { WAIT_MS = 3000 };

static void
stop(struct stage *s, const struct pg *db, enum pg_status st)
{
	stage_flush(s);
	die(pg_exit(st), "ledger: %s", db->err);
}

void
stage_ledger_open(struct stage *s, struct pg *db, const char *conninfo, int schema)
{
	enum pg_status st = pg_open(db, conninfo, WAIT_MS);

	if (st == PG_OK)
		st = pg_ledger(db, schema, NULL, NULL);
	if (st == PG_OK)
		st = pg_call(db, "set statement_timeout = '60s'", NULL);
	if (st != PG_OK)
		stop(s, db, st);
}

bool
stage_ledger_passes(struct stage *s, struct pg *db)
{
	bool failed = rec_get(&s->rec, "error");
	enum pg_status st;

	if (!failed && !rec_get(&s->rec, "wait") && !rec_get(&s->rec, "chunk"))
		return false;
	if (failed && db && rec_get(&s->rec, "probe") && (st = pg_ledger(db, 0, NULL, NULL)) != PG_OK)
		stop(s, db, st);
	stage_pass(s);
	return true;
}

void
stage_ledger_failed(struct stage *s, const struct pg *db, enum pg_status st)
{
	/* 57014: the time limit; 40: another was first. */
	if (st != PG_RETRY || (strcmp(db->state, "57014") != 0 && strncmp(db->state, "40", 2) != 0))
		stop(s, db, st);
	stage_error(s, "ledger_busy", true, "%s", db->err);
}
