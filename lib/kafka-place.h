/* kafka-place.h - internal to kafka-post.c: a message's bytes, gathered in one
 * buffer from the members of a line. The buffer may move while it grows, so
 * they are offsets until all are there. */
#ifndef KAFKA_PLACE_H
#define KAFKA_PLACE_H

#include <stddef.h>

#include "mem.h"
#include "rec.h"

struct place {
	size_t at;              /* offset + 1; 0: null */
	size_t len;
};

/* Each appends what m says, with a NUL after it. 0; -1: m is nothing of the kind. */
int place_text(struct buf *b, const struct rec_member *m, struct place *to);    /* "text" or null */
int place_base64(struct buf *b, const struct rec_member *m, struct place *to);  /* "base64" */
int place_either(struct buf *b, const struct rec_member *m, struct place *to);  /* "text", null or {"b64":"..."} */
int place_key(struct buf *b, const struct rec_member *m, struct place *to);     /* the member's name */

const char *place_ptr(const struct buf *b, size_t at);

#endif
