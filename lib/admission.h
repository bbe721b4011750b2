/* admission.h - entries into the ledger: what was said of each one's topic, and
 * the calls of sluice.admit and sluice.admit_mended. Returns a status; never
 * prints, never exits (but see mem.h). One thread. */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "entry.h"
#include "pg.h"

enum {
	ADMISSION_STALE_MS = 1000,      /* how long what an operator said of a topic is believed */
	ADMISSION_MOST = 500            /* entries of a call */
};

/* Asked once: whether the ledger makes keys as we do. */
enum pg_status admission_agrees(struct pg *db);

/* Whether admission_columns, which comes next, has to ask the ledger. */
bool admission_asks(struct entry *q);
/* Fills q->src and the columns by what the ledger says of its topic. base:
 * default_tenant and pipelines. */
enum pg_status admission_columns(struct pg *db, struct entry *q, const struct entry_said *base);

/* Settles n entries in one transaction: rows of outcome, no, of, code in db, that of each at its row, or one row
 * for all of them (answer_new in answer.h). An
 * entry that mends a dead letter goes alone. answers: what is no new job is told to nobody
 * else, neither in a dead letter nor in a message. */
enum pg_status admission_call(struct pg *db, struct entry *q, size_t n, bool answers);
/* The same in two steps (pg.h), once: PG_RETRY is for the caller to try again. What is sent is made ready first, which
 * needs no ledger, so another call may be under way: false, and nothing is ready, where all that came before has to be
 * settled first. A call in between undoes it. */
bool admission_ready(struct entry *q, size_t n);
enum pg_status admission_send(struct pg *db, const struct entry *q, bool answers);

#endif
