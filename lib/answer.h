/* answer.h - the member "admit" of a line that is answered: what became of a request.
 * Never prints, never exits (but see mem.h). */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "entry.h"
#include "pg.h"

/* Whether it is a new job, by the row of admission_call; or by the only row, "jobs", which is of all: the first one's number,
 * and the others' after it, in the order of their rows. */
bool answer_new(const struct pg *db, int row);

/* How many of each outcome there were. */
struct answers {
	uint64_t n[5];
};
void answer_count(struct answers *a, const struct pg *db, int row);
/* Adds them to b, as " job=1 duplicate=2"; false where all are new jobs. */
bool answer_told(struct buf *b, const struct answers *a);

/* Sets b to {"outcome","no","of","code"}, by the same. */
void answer_row(struct buf *b, const struct pg *db, int row);

/* Adds to what answer_row set, for a sender that waits: "message", a sentence, and "member",
 * the request's member at fault as a JSON pointer, where they are known. */
void answer_why(struct buf *b, const struct entry *q, const struct pg *db, int row);

/* Sets b to {"outcome":"rejected","code","message","retry"} with "member" (NULL: none). */
void answer_reject(struct buf *b, const char *code, const char *message, size_t len, bool retry, const char *member);

#endif
