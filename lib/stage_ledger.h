/* stage_ledger.h - stages that ask the ledger about whole jobs: the session, the lines
 * that are not for them, and calls that fail. Like stage.h it prints and exits.
 * Not thread-safe. */
#ifndef STAGE_LEDGER_H
#define STAGE_LEDGER_H

#include <stdbool.h>

#include "pg.h"
#include "stage.h"

/* Connects to a ledger of this schema at least. A call may take a minute: big documents
 * take longer than a transition may. Exits where that can't be. */
void stage_ledger_open(struct stage *s, struct pg *db, const char *conninfo, int schema);

/* Passes the current line on and returns true where it has error, wait or chunk. A
 * feeder's probe passes while the ledger answers. db: NULL for none. */
bool stage_ledger_passes(struct stage *s, struct pg *db);

/* After a call for the current record that the ledger did not finish: an error of the
 * record, ledger_busy, where another was first or time ran out; else what was answered
 * is flushed and the program exits. */
void stage_ledger_failed(struct stage *s, const struct pg *db, enum pg_status st);

#endif
