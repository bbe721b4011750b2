/* kafka-out.h - writing messages: idempotent, or in transactions.
 *
 * A broker that does not answer is waited for without end, and said. Topics
 * are never made: a post whose topic is missing or won't have it goes to its
 * fallback, where it has one. Keys choose partitions as the Java client does.
 * Single-threaded. The bytes of a post are used until the call that sends it
 * returns.
 */
#ifndef KAFKA_OUT_H
#define KAFKA_OUT_H

#include "kafka-post.h"

struct kafka_out;

enum kafka_spread {
	KAFKA_BY_KEY,           /* murmur2; without a key any, a batch together */
	KAFKA_ROUND_ROBIN,      /* one after the other, whatever the key */
	KAFKA_STICKY,           /* a whole batch to one, the next to the next */
	KAFKA_BY_PRIORITY       /* each class has partitions of its own; by key within */
};

struct kafka_out_opts {
	const char *txid;       /* NULL: no transactions */
	const char *state;      /* file for kafka_state, or NULL */
	enum kafka_spread spread;
	unsigned char share[3]; /* per cent of the partitions: High, Medium, Low */
};

/* 0, or with the reason in err -1: a wrong setting, exit 100; -2: not now, exit 111. */
int kafka_out_open(struct kafka_out **out, const struct kafka_out_opts *o, char *err, size_t size);
void kafka_out_close(struct kafka_out *o);

/* Without transactions: sends every post that is not refused. On return each
 * is sent or refused. Where a client breaks in between, one may be sent twice.
 * 0, or -1: no client can be made any more, kafka_out_why. */
int kafka_out_send(struct kafka_out *o, struct kafka_post *p, size_t n);

enum kafka_txn {
	KAFKA_COMMITTED,
	KAFKA_REFUSED,          /* nothing was committed; posts have failed or refused set */
	KAFKA_UNKNOWN,          /* start over, and see what the position says */
	KAFKA_FENCED            /* another producer has taken the transactional id */
};

/* Makes the client anew and fences every older one of its id; unfinished
 * transactions of theirs are over. Waits as long as it takes. 0; -1: the
 * brokers refuse for good, kafka_out_why. */
int kafka_out_init(struct kafka_out *o);
/* One transaction: the posts that are not refused, and the position. */
enum kafka_txn kafka_out_txn(struct kafka_out *o, struct kafka_post *p, size_t n,
    const struct kafka_msg *position);
const char *kafka_out_why(const struct kafka_out *o);
/* A post failed for good where it was to go: true when it has another place. */
bool kafka_out_divert(struct kafka_out *o, struct kafka_post *p);
/* How many posts went to their fallback so far. */
uint64_t kafka_out_diverted(const struct kafka_out *o);
struct kafka_state *kafka_out_state(struct kafka_out *o);

/* Turns posts whose topic is not there to their fallback, or marks them as
 * refused. A topic must be missing for two seconds before that counts. */
void kafka_out_check(struct kafka_out *o, struct kafka_post *p, size_t n);

/* The last committed value of key in partition 0 of topic. 1: appended to
 * value; 0: there is none; -1: try again (the state says what is waited for). */
int kafka_position(const char *topic, const char *key, struct buf *value,
    struct kafka_state *state);

#endif
