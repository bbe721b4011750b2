/* kafka-in.h - reading topics: messages come one by one, and what has been
 * dealt with is committed without gaps.
 *
 * With a group: partitions come and go by the group's assignment, with static
 * membership where an instance is named (cooperative-sticky from librdkafka
 * 2.10 on; eager before, which loses or repeats partitions otherwise). A commit names only owned
 * partitions and never passes an unanswered message. Where no position is
 * committed, or it lies outside what the partition holds, the start is chosen
 * here and said, never by librdkafka.
 * Without a group: every partition from opts.start; nothing is committed.
 *
 * Single-threaded; call kafka_in_open after feed_open, since it starts threads.
 */
#ifndef KAFKA_IN_H
#define KAFKA_IN_H

#include "kafka.h"

struct kafka_in;

struct kafka_in_opts {
	const char *topics;     /* "a,b" */
	const char *group;      /* NULL: none */
	const char *instance;   /* static membership; NULL: none */
	int64_t start;          /* an offset, KAFKA_BEGINNING or KAFKA_END */
	int64_t until;          /* read no further than before this offset; 0: no end */
	bool start_time, until_time;    /* they are times, in ms: the first message of that
				   time or later */
	int64_t partition;      /* without a group: this one alone; -1: all */
	const char *state;      /* file for kafka_state, or NULL */
	bool until_end;         /* the end of what is there is an end */
};
enum { KAFKA_BEGINNING = -2, KAFKA_END = -1 };

/* A message that was handed out and is not yet done. */
struct kafka_rec {
	struct kafka_msg msg;
	unsigned tries;         /* the caller's: 0 at first */
	void *rkm;              /* the rest is kafka-in's */
	struct kafka_rec *next, **link;
	void *part;
	uint64_t number;
	struct kafka_header headers[];
};

/* 0, or with the reason in err -1: a wrong setting, exit 100; -2: not now, exit 111. */
int kafka_in_open(struct kafka_in **in, const struct kafka_in_opts *o, char *err, size_t size);

/* 1: *rec is the next message, the caller's until kafka_in_done; 0: none now;
 * -1: this reader can't go on (kafka_in_why), exit 111. */
int kafka_in_next(struct kafka_in *in, struct kafka_rec **rec);
/* The message has been dealt with. Frees rec. */
void kafka_in_done(struct kafka_in *in, struct kafka_rec *rec);

/* To be called at least every *wait_ms, which it may lower: commits, joins,
 * says what is waited for, keeps the membership while nothing is taken.
 * 0, or -1 as above. */
int kafka_in_tick(struct kafka_in *in, int *wait_ms);

/* Readable when kafka_in_next has something to do. */
int kafka_in_fd(const struct kafka_in *in);
/* Partitions are assigned and a broker answers. */
bool kafka_in_ready(const struct kafka_in *in);
const char *kafka_in_why(const struct kafka_in *in);
const char *kafka_in_cluster(const struct kafka_in *in);
/* Everything that until and until_end ask for has been handed out. */
bool kafka_in_ended(const struct kafka_in *in);
/* Messages not yet dealt with, as far as the brokers have told. */
int64_t kafka_in_lag(const struct kafka_in *in);

/* Commits what is done and leaves. Frees everything, messages not done too. */
void kafka_in_close(struct kafka_in *in);

#endif
