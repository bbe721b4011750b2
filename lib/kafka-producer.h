/* kafka-producer.h - internal to kafka-out.c, kafka-txn.c and kafka-topics.c. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "kafka-out.h"
#include "kafka-rd.h"

enum { KAFKA_TXN_MS = 10000 };

enum there { UNSURE, THERE, MISSING };
struct known {
	char name[250];
	enum there there;
	int partitions;
	uint32_t turn;          /* of round-robin */
	int64_t until_ms;      /* so long it needn't be asked again */
	int64_t missing_ms;    /* since when it is missing, or 0 */
};

struct kafka_out {
	struct kafka k;         /* first: the client's opaque is this struct */
	struct kafka_out_opts o;
	size_t left;            /* delivery reports to come */
	size_t faults;          /* messages that failed for a reason of their own */
	bool broken;            /* some message failed for a reason that is not its own */
	bool refused;           /* the last transaction was; the client is spoilt */
	struct known *known;
	size_t n_known;
	uint32_t batch;         /* sends so far */
	uint64_t diverted;
};

struct known *kafka_known(struct kafka_out *o, const char *topic);
/* The partition for a post, or RD_KAFKA_PARTITION_UA: as its key says. */
int32_t kafka_choose(struct kafka_out *o, const struct kafka_post *p);
int kafka_producer_open(struct kafka_out *o);
/* Queues one message; its report comes to the post (NULL for none). */
void kafka_producer_put(struct kafka_out *o, const struct kafka_msg *m, int32_t partition,
    struct kafka_post *p);
/* An error that no waiting mends: the message's own. */
bool kafka_own_fault(rd_kafka_resp_err_t e);
/* Serves reports for at most ms, or until none is to come. */
void kafka_producer_reports(struct kafka_out *o, int ms);

#endif
