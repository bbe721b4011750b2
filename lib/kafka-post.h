/* kafka-post.h - a line that asks for a message to be sent:
 *     {"topic","key"?,"headers"?,"value","outbox"?}
 * key: a string or null; headers: an object of strings or nulls; value: any
 * JSON, sent as its own bytes; null sends a tombstone. No librdkafka here.
 */
#ifndef KAFKA_POST_H
#define KAFKA_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "kafka.h"
#include "mem.h"
#include "rec.h"

struct kafka_post {
	struct rec rec;         /* of the line, which must outlive this */
	struct kafka_msg msg;   /* topic, key, val, headers; they lie in bytes */
	struct kafka_header *headers;
	size_t headers_cap;
	struct buf bytes;
	bool outbox;            /* the line has the member: */
	char ledger[64], stream[64];
	uint64_t epoch, seq;
	bool has_prev, has_head;
	uint64_t prev, head;
	/* What became of it, set while sending: failed is an attempt's, the other
	 * two are final. */
	bool failed, refused, sent;
	char why[256];
};

/* Reads r (a parsed line) into p. 0; -1: no message, but outbox may be valid;
 * -2: its outbox member is not. why: what is wrong. */
int kafka_post(struct kafka_post *p, const struct rec *r);
void kafka_post_release(struct kafka_post *p);

#endif
