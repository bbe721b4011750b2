/* kafka-rd.h - internal to lib/kafka*.c: the one header that shows librdkafka. */
#ifndef KAFKA_RD_H
#define KAFKA_RD_H

#include <librdkafka/rdkafka.h>

#include "kafka.h"
#include "mem.h"
#include "now.h"

struct kafka {
	rd_kafka_t *rk;
	const char *servers;    /* for messages */
	struct kafka_state state;
	bool down;              /* librdkafka said that no broker answers */
	bool suspect;           /* librdkafka said that some topic is not there */
	bool debug;
	rd_kafka_resp_err_t fatal;
	char last[256];         /* the last transport error */
	char err[512];          /* why something failed */
	char file_servers[256];
};

struct kafka_prop {
	const char *name, *value;
};

/* Creates k->rk. defaults may be overridden by the properties file, fixed may
 * not; both end with a NULL name. tune (may be NULL) sets callbacks. The
 * client's opaque is opaque. 0, or with
 * k->err -1: a wrong setting, exit 100; -2: no threads or memory, exit 111. */
int kafka_open(struct kafka *k, rd_kafka_type_t type, const struct kafka_prop *defaults,
    const struct kafka_prop *fixed, void (*tune)(rd_kafka_conf_t *), void *opaque);
/* rd_kafka_destroy, for wait_ms at most. False: it goes on, in a thread of its own, until
 * the process ends; what its callbacks use must stay. */
bool kafka_end(rd_kafka_t *rk, int wait_ms);

/* "no broker answers at HOST:PORT: REASON". */
void kafka_waits_broker(struct kafka *k);

/* True when some broker answers a metadata request within ms. Clears down. */
bool kafka_answers(struct kafka *k, int ms);

/* The offset of the first message of that time (ms) or later in each partition of l, into
 * offset, of l->cnt: negative where there is none. Kafka has two times that are places
 * (ListOffsets): -2 is the beginning, -1 the end. */
rd_kafka_resp_err_t kafka_offsets_at(struct kafka *k, const rd_kafka_topic_partition_list_t *l,
    int64_t time, int64_t *offset, int ms);
/* Where each partition of l begins and ends, into low and high, of l->cnt each. Waits
 * ms for either; when it fails, as long again for some broker's word of who leads now. */
rd_kafka_resp_err_t kafka_bounds(struct kafka *k, const rd_kafka_topic_partition_list_t *l,
    int64_t *low, int64_t *high, int ms);
/* The same of one partition. */
rd_kafka_resp_err_t kafka_bounds_of(struct kafka *k, const char *topic, int32_t id,
    int64_t *low, int64_t *high, int ms);

/* Partitions of a topic: their number, 0 when it does not exist, -1 when
 * nobody answers within ms. Never creates it. */
int kafka_partitions(struct kafka *k, const char *topic, int ms);

#endif
