/* kafka.h - what every use of Kafka shares: which brokers, which settings,
 * and what is being waited for. Only lib/kafka*.c includes librdkafka; the
 * doors are kafka-in.h (reading), kafka-out.h (writing), kafka-admin.h.
 *
 * SLUICE_KAFKA names the brokers, SLUICE_KAFKA_CONF a file of librdkafka
 * properties: lines of NAME=VALUE, '#' comments. Properties that a program's
 * guarantees rest on cannot be set there.
 *
 * librdkafka's threads never call our code: logs and errors are queued and
 * handled where a program polls, so this is single-threaded for us.
 */
#ifndef KAFKA_H
#define KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message as it lies on a topic. Everything borrowed. */
struct kafka_header {
	const char *name;
	const char *val;        /* NULL: null */
	size_t len;
};

struct kafka_msg {
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t prev;           /* the reader's position before it */
	int64_t low;            /* where its partition began when reading of it did */
	int64_t ts_ms;          /* -1: none */
	const char *key;        /* NULL: none */
	size_t key_len;
	const char *val;        /* NULL: a tombstone */
	size_t val_len;
	const struct kafka_header *headers;
	size_t n_headers;
};

/* The largest message that our clients carry: a record of 16 MiB in base64
 * with room for what goes with it. */
enum { KAFKA_WIRE_MAX = 25 * 1000 * 1000 };

/* What is waited for, kept also in a file that "sluice status" reads: "ready"
 * or "waiting: REASON". Each change is logged once. */
struct kafka_state {
	const char *path;       /* NULL: no file */
	char why[512];          /* "" when ready */
	bool said;              /* the first state has been told */
	bool untold;            /* the file could not be written */
};

/* Nothing is known yet; what an earlier program said in the file goes. */
void kafka_state_open(struct kafka_state *s, const char *path);

__attribute__((format(printf, 2, 3)))
void kafka_waits(struct kafka_state *s, const char *fmt, ...);
void kafka_ready(struct kafka_state *s);

#endif
