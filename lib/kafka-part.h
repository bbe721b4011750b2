/* kafka-part.h - internal to the reader (kafka-in.c, kafka-open.c, kafka-tick.c):
 * the partitions that it owns at the moment (kafka-part.c), how they come and
 * go (kafka-group.c), and where each is read from (kafka-start.c). */
#ifndef KAFKA_PART_H
#define KAFKA_PART_H

#include "kafka-in.h"
#include "kafka-mark.h"
#include "kafka-rd.h"

struct part {
	char *topic;
	int32_t id;
	int64_t next;           /* position: one past the last handed out */
	int64_t until;          /* where reading ends */
	int64_t low;            /* the first that it held when reading began */
	struct mark mark;
	int64_t asked;          /* mark of the last commit asked for */
	bool at_end;            /* nothing more is there */
	bool ended;             /* nothing more is wanted */
	bool committed;         /* the group has a position of it */
	bool missing;           /* its topic is not there any more */
	bool gone;              /* no longer ours: answers don't count */
	size_t out;             /* messages handed out, not done */
};

struct kafka_in {
	struct kafka k;         /* first: the client's opaque is this struct */
	struct kafka_in_opts o;
	char **topics;
	size_t n_topics;
	char cluster[128];
	rd_kafka_topic_partition_list_t *pending;       /* to be assigned, start not yet known */
	struct part **part;
	size_t n, last;         /* last: where the last message was found */
	bool started, assigned, paused, missing;
	bool lost;              /* partitions were taken away, none came back */
	rd_kafka_topic_partition_list_t *had;           /* were ours, and the group had a position */
	bool cooperative;       /* partitions move one by one */
	rd_kafka_message_t *held;
	struct kafka_rec *out;  /* handed out, not done */
	int fd;                 /* the eventfd */
	bool empty;             /* of what it told of, nothing is left */
	int64_t left_ms;        /* when it joined its group, or was last without partitions of it */
	int64_t opened_ms, polled_ms, committed_ms, tried_ms, lag_ms;
};

/* kafka-part.c */
struct part *kafka_part_add(struct kafka_in *in, const char *topic, int32_t id, int64_t start);
struct part *kafka_part_find(struct kafka_in *in, const char *topic, int32_t id);
/* No longer ours: one, or all. */
void kafka_part_drop(struct kafka_in *in, struct part *p);
void kafka_part_drop_all(struct kafka_in *in);
/* One of its messages is freed. */
void kafka_part_unref(struct part *p);
/* All owned partitions with their positions, as a new list. */
rd_kafka_topic_partition_list_t *kafka_part_list(const struct kafka_in *in);
/* Commits marks that moved. wait_ms 0: does not wait for the answer. */
void kafka_part_commit(struct kafka_in *in, int wait_ms);
void kafka_part_committed(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);

/* kafka-group.c, and kafka-anew.c: check, missing, look, remember, had */
/* Subscribes, or lists the partitions of every topic. 0; -1 try again. */
int kafka_group_start(struct kafka_in *in);
/* Finds where each pending partition starts and assigns them. 0; -1 again. */
int kafka_group_resolve(struct kafka_in *in);
void kafka_group_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);
/* The group's position of a partition is deleted with its topic. So where one that
 * we committed is no longer there, the topic was made anew since, and what was
 * read last may be of the new one: starts again. 0; -1: nobody answered. */
int kafka_group_check(struct kafka_in *in, int wait_ms);
/* Looks for topics that went away; those that are there again start anew. */
void kafka_group_missing(struct kafka_in *in);
/* The partition does not hold its position, or its topic went away: what was
 * handed out of it no longer counts; reading begins where it begins. */
void kafka_group_restart(struct kafka_in *in, struct part *p, const char *why);
/* Partitions were taken away: whether their topics are still there. */
void kafka_group_look(struct kafka_in *in);
/* A partition goes; and when it comes back, whether the group had a position of it,
 * so that having none now means a topic made anew, to be read from its beginning. */
void kafka_group_remember(struct kafka_in *in, const struct part *p);
bool kafka_group_had(struct kafka_in *in, const char *topic, int32_t id, int64_t low, int64_t high);
/* Says that reading goes back from a position to low. */
void kafka_group_anew(const char *why, const char *topic, int32_t id, int64_t at, int64_t low, int64_t high);

/* kafka-start.c */
/* Sets the offset of each element to where reading starts, and in low and high, of as
 * many, where the partition begins and ends. 0; -1: again. */
int kafka_start(struct kafka_in *in, rd_kafka_topic_partition_list_t *l, int64_t *low, int64_t *high);
/* Where reading of the partition, which ends at high, is to end. 0; -1: again. */
int kafka_until(struct kafka_in *in, const char *topic, int32_t id, int64_t high, int64_t *until);

/* kafka-in.c: serves callbacks and events; the next message, or NULL. */
rd_kafka_message_t *kafka_in_poll(struct kafka_in *in);
void kafka_rec_free(struct kafka_rec *r);

#endif
