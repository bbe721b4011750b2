/* answer.h - the member "admit" of a line that is answered: what became of a request.
 * Never prints, never exits (but see mem.h). */
#ifndef ANSWER_H
#define ANSWER_H

#include <stddef.h>

#include "entry.h"
#include "pg.h"

/* Sets b to {"outcome","no","of","code"}, by the row of admission_call. */
void answer_row(struct buf *b, const struct pg *db, int row);

/* Adds to what answer_row set, for a sender that waits: "message", a sentence, and "member",
 * the request's member at fault as a JSON pointer, where they are known. */
void answer_why(struct buf *b, const struct entry *q, const struct pg *db, int row);

/* Sets b to {"outcome":"rejected","code","message","retry"} with "member" (NULL: none). */
void answer_reject(struct buf *b, const char *code, const char *message, size_t len, bool retry, const char *member);

#endif
