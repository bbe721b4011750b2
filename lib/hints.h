/* hints.h - a stage's word about itself to the feeder that runs it.
 *
 * SLUICE_HINTS names a descriptor, set by the feeder. A hint is a line of at
 * most PIPE_BUF bytes: "t STAGE TOKEN USEC" (how long a record took) or "p STAGE
 * TOKEN TEXT" (progress); TOKEN is the record's "feed", raw. They are written in
 * batches, never waiting: what the pipe has no room for is lost. One thread.
 */
#ifndef HINTS_H
#define HINTS_H

#include <stdbool.h>
#include <stddef.h>

/* True when somebody listens; reads the environment the first time. */
bool hints_wanted(void);
/* Queues one; too long a text is cut, LF becomes a space. Nothing unless wanted. */
void hints_add(char kind, const char *stage, size_t stage_len, const char *token, size_t token_len,
    const char *text, size_t text_len);
/* Writes what is queued. */
void hints_flush(void);

#endif
