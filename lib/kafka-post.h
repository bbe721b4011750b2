/* kafka-post.h - a line that asks for a message to be sent:
 *     {"topic","key"?|"key_b64"?,"headers"?,"value"|"text"|"b64",
 *      "partition"?,"ts"?,"priority"?,"fallback"?,"outbox"?}
 * key: a string or null; headers: an object of strings or nulls, or a list of
 * [name, value] where a value that is no text is {"b64":"..."}; value: any
 * JSON, sent as its own bytes; text, b64: bytes. null sends a tombstone. The
 * capture envelope (kafka-text.h) is such a line. No librdkafka here.
 */
#ifndef KAFKA_POST_H
#define KAFKA_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "b64.h"
#include "kafka.h"
#include "mem.h"
#include "rec.h"

struct kafka_post {
	struct rec rec;         /* of the line, which must outlive this */
	struct kafka_msg msg;   /* topic, key, val, headers; they lie in bytes or in
				   the line. partition -1: to be chosen; ts_ms -1: now */
	const char *fallback;   /* where it goes when its topic won't have it, or NULL */
	char priority;          /* 'L', 'M' (also without one), 'H' */
	struct kafka_header *headers;
	size_t headers_cap;
	struct buf bytes;
	bool outbox;            /* the line has the member: */
	char ledger[64], stream[64];
	uint64_t epoch, seq;
	bool has_prev, has_head, has_base;
	uint64_t prev, head, base;
	/* What became of it, set while sending: failed is an attempt's, the other
	 * two are final. */
	bool failed, refused, sent;
	char why[256];
};

/* Reads r (a parsed line) into p. 0; -1: no message, but outbox may be valid;
 * -2: its outbox member is not. why: what is wrong. */
int kafka_post(struct kafka_post *p, const struct rec *r);
/* Its topic won't have it: turns it to its fallback, with two headers that say
 * why and where it belonged. False when there is no other topic to go to. */
bool kafka_post_divert(struct kafka_post *p, const char *why);
/* sha256 of what the line says of topic, key and value. */
void kafka_post_digest(const struct kafka_post *p, char hex[SHA256_HEX]);
void kafka_post_release(struct kafka_post *p);

/* Internal to kafka-post*.c: reads the member headers into p, as offsets; then
 * makes pointers of them. */
struct rec_member;
int kafka_post_headers(struct kafka_post *p, const struct rec_member *m);
void kafka_post_headers_place(struct kafka_post *p);

#endif
