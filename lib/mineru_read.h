/* mineru_read.h - what a mineru-api server of version 2.5 or 3 answers: read,
 * and believed only where it has the right form. Any bytes may be given.
 * Functions never print.
 */
#ifndef MINERU_READ_H
#define MINERU_READ_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum { MINERU_ID_MAX = 128 };

struct mineru_health {
	uint64_t busy;          /* documents queued and being worked on */
	uint64_t room;          /* at once; at least 1 */
	uint64_t protocol;      /* 0: it does not say */
};
/* 0, or -1: that is no answer of /health. */
int mineru_read_health(struct mineru_health *h, const char *p, size_t len);

enum mineru_state { MINERU_PENDING, MINERU_PROCESSING, MINERU_COMPLETED, MINERU_FAILED };

struct mineru_task {
	char id[MINERU_ID_MAX + 1];     /* letters, digits, '-' and '_' */
	enum mineru_state state;
};
/* 0, or -1: that is no state of a task. */
int mineru_read_task(struct mineru_task *t, const char *p, size_t len);

/* Appends what an answer says went wrong ("error", "detail" or "message"), cut to
 * max bytes; nothing where it does not say. */
void mineru_read_error(struct buf *out, const char *p, size_t len, size_t max);

/* blocks becomes the content_list of a result without white space between its parts;
 * appends "mineru 3.4.4 pipeline" to engine. NULL, or why it is none. Whether its items are
 * blocks is pdf/check.h's to say. */
const char *mineru_read_result(struct buf *blocks, struct buf *engine, const char *p, size_t len);

#endif
