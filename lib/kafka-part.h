/* kafka-part.h - internal to kafka-in.c and kafka-part.c: the reader, and the
 * partitions that it owns at the moment. */
#ifndef KAFKA_PART_H
#define KAFKA_PART_H

#include "kafka-in.h"
#include "kafka-mark.h"
#include "kafka-rd.h"

struct part {
	char *topic;
	int32_t id;
	int64_t next;           /* position: one past the last handed out */
	struct mark mark;
	int64_t asked;          /* mark of the last commit asked for */
	bool ended;
};

struct kafka_in {
	struct kafka k;         /* first: the client's opaque is this struct */
	struct kafka_in_opts o;
	char **topics;
	size_t n_topics;
	char cluster[128];
	rd_kafka_topic_partition_list_t *pending;       /* assigned, start not yet known */
	struct part *part;
	size_t n, last;         /* last: where the last message was found */
	uint64_t gen;           /* of the assignment: answers to an older one don't count */
	bool started, assigned, paused;
	rd_kafka_message_t *held;
	struct kafka_rec *out;  /* handed out, not done */
	int fd;
	uint64_t opened_ms, polled_ms, committed_ms, tried_ms;
};

/* Subscribes, or lists the partitions of every topic. 0; -1 try again. */
int kafka_part_start(struct kafka_in *in);
/* Finds where each pending partition starts and assigns them. 0; -1 again. */
int kafka_part_resolve(struct kafka_in *in);
void kafka_part_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);
/* Makes every owned partition pending again, from its committed mark. */
int kafka_part_again(struct kafka_in *in);
struct part *kafka_part_find(struct kafka_in *in, const char *topic, int32_t id);
/* Commits marks that moved. wait_ms 0: does not wait for the answer. */
void kafka_part_commit(struct kafka_in *in, int wait_ms);
void kafka_part_committed(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);
void kafka_part_drop(struct kafka_in *in);
/* All owned partitions, as a new list. */
rd_kafka_topic_partition_list_t *kafka_part_list(const struct kafka_in *in);

/* Serves callbacks and events; the next message, or NULL. */
rd_kafka_message_t *kafka_part_poll(struct kafka_in *in);
void kafka_rec_free(struct kafka_rec *r);

#endif
