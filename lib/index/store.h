/* store.h - a folded job's chunks into the ledger's index. One transaction and
 * one round trip a job: the function sluice.index_document of
 * lib/ledger/0002-index.sql. Never prints, never exits (but see mem.h).
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "index/fold.h"
#include "pg.h"

enum store_status {
	STORE_OK,
	STORE_STALE,            /* a newer job, run or attempt wrote the document */
	STORE_NO_EMBEDDING,     /* a chunk has no vector and words_only is off */
	STORE_BAD,              /* the record or its items are not as they should be */
	STORE_REFUSED,          /* the database will never take this */
	STORE_LATER,            /* the database did not finish it in time: try again */
	STORE_DOWN              /* no database, or not ours: db->err, *why for pg_exit */
};

/* Connects and sets what an index session needs: big documents take longer
 * than a transition may. */
enum pg_status store_open(struct pg *db, const char *conninfo, unsigned wait_ms);

/* Writes the job line's document with the items of j (complete and sorted).
 * STORE_OK: out gets the value of the member "index"; otherwise a message.
 * words_only: chunks without a vector are taken. */
enum store_status store_job(struct pg *db, const struct rec *line, const struct fold_job *j,
    bool words_only, struct buf *out, enum pg_status *why);

/* The document's key: the line's, or where nobody gave it one its place in a data
 * set, or the job; empty where it has none of these. */
void store_key(struct buf *key, const struct rec *line);

#endif
