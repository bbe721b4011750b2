/* gauges.h - the ledger's numbers (sluice.metrics()) as Prometheus text, asked for
 * at most every GAUGES_AGE_MS, by a thread with a connection of its own.
 * A page that needs them waits a moment for fresh ones, never for the
 * database: without it there is sluice_ledger_up 0 and nothing stale. */
#ifndef GAUGES_H
#define GAUGES_H

#include "mem.h"
#include "pg.h"

enum { GAUGES_AGE_MS = 5000, GAUGES_WAIT_MS = 4000 };

/* What the ledger is asked, and its rows as text: one family after the other, as
 * sluice.metrics() orders them. For those that ask it themselves. */
#define GAUGES_SQL "select name, type, help, labels, value from sluice.metrics()"
void gauges_rows(struct buf *out, const struct pg *db);

/* Starts the thread; SLUICE_DB names the ledger. Once, after signals are blocked. */
void gauges_start(void);

/* Appends what the ledger says, from any thread. */
void gauges_add(struct buf *out);

#endif
