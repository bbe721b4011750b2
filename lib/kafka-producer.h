/* kafka-producer.h - internal to kafka-out.c, kafka-txn.c and kafka-topics.c. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "kafka-out.h"
#include "kafka-rd.h"

enum { KAFKA_TXN_MS = 10000 };

struct known {
	char name[250];
	bool there;
	uint64_t until_ms;
};

struct kafka_out {
	struct kafka k;         /* first: the client's opaque is this struct */
	const char *txid;
	size_t left;            /* delivery reports to come */
	size_t faults;          /* messages that failed for a reason of their own */
	bool broken;            /* some message failed for a reason that is not its own */
	bool refused;           /* the last transaction was; the client is spoilt */
	struct known known[64];
	size_t n_known, next_known;
};

int kafka_producer_open(struct kafka_out *o);
/* Queues one message; its report comes to the post (NULL for none). */
void kafka_producer_put(struct kafka_out *o, const struct kafka_msg *m, int32_t partition,
    struct kafka_post *p);
/* Serves reports for at most ms, or until none is to come. */
void kafka_producer_reports(struct kafka_out *o, int ms);

#endif
