/* kafka-text.h - keys, headers and whole messages as JSON text, so that not a
 * byte is lost: what is not UTF-8 goes in base64. No librdkafka here.
 *
 * The capture envelope, which to-kafka reads back (stream(7)):
 *     {"topic","partition","offset","ts","key"|"key_b64","headers"?,"text"|"b64"}
 */
#ifndef KAFKA_TEXT_H
#define KAFKA_TEXT_H

#include <stdbool.h>

#include "kafka.h"
#include "mem.h"

/* "key":"K", "key":null, or "key":null,"key_b64":"..." */
void kafka_text_key(struct buf *out, const struct kafka_msg *m);
/* [["name","text"],["name",null],["name",{"b64":"..."}]], in order. */
void kafka_text_headers(struct buf *out, const struct kafka_msg *m);
/* Appends the envelope, without LF. */
void kafka_text_envelope(struct buf *out, const struct kafka_msg *m);

#endif
