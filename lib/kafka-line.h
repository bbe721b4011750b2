/* kafka-line.h - a Kafka message as a record, and what to do with one that
 * can't be one. No librdkafka here.
 *
 * A message whose value is a record becomes the value's bytes, LF and CR
 * between tokens turned into spaces, with one member appended:
 *     "kafka":{"cluster","topic","partition","offset","prev","low","ts",
 *              "key","key_b64"?,"headers"?,"raw"?}
 * Any other becomes {"raw","kafka","error"}: "wrapped".
 */
#ifndef KAFKA_LINE_H
#define KAFKA_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "kafka.h"
#include "mem.h"
#include "rec.h"

/* Room left below the limit for members that feeders and stages add. */
enum { KAFKA_LINE_ROOM = 4096 };

struct kafka_line {
	const char *cluster;
	size_t max;             /* the limit of a record, bytes */
	bool plain;             /* for people: only "kafka" and "feed" are refused, not
				   the other members that would mislead a pipeline */
	/* Where the bytes of a value too big to be carried go: puts them and
	 * returns 0 with their sha256 in hex. May be NULL. */
	int (*keep)(void *ctx, const void *p, size_t len, char hex[65]);
	void *ctx;
	struct rec rec;         /* work space */
	struct buf flat, at, err;
};

/* Appends the line, without LF. NULL when it is a record; when it is wrapped, the
 * error's code. */
const char *kafka_line(struct kafka_line *l, const struct kafka_msg *m, struct buf *out);

/* Wraps a message whatever it holds. more: members to append within "error"
 * (",\"stderr\":..."), or "". */
void kafka_wrap(struct kafka_line *l, const struct kafka_msg *m, const char *code,
    const char *message, const char *more, struct buf *out);

void kafka_line_release(struct kafka_line *l);

#endif
