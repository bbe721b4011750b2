/* kafka-stream.h - publishing one outbox stream, SEMANTICS 4: each of its lines
 * once to read_committed readers, whatever is killed whenever.
 *
 * The stream's position lies on a compacted topic, written in the transaction
 * that sends the messages. After init_transactions, which fences every older
 * relay of the same transactional id, the position tells what has been sent;
 * lines up to it are answered unsent.
 */
#ifndef KAFKA_STREAM_H
#define KAFKA_STREAM_H

#include "kafka-out.h"

#define KAFKA_POSITIONS "sluice.positions.v1"
#define KAFKA_STREAM_HELP "see \"sluice outbox --help\""

struct kafka_stream {
	struct kafka_out *out;
	unsigned tries;         /* starts without a commit since */
	bool live;              /* initialised, and pos is what Kafka has */
	char ledger[64], stream[64];    /* "" until the first post */
	uint64_t epoch, seq;    /* the position: all up to seq are sent or refused */
	uint64_t refused[64];   /* the last that could not be delivered; 0: none */
	char digest[SHA256_HEX];        /* of the message at seq; "": not known */
	size_t next_refused;
	struct buf key, value;
	char err[512];
};

/* Publishes the posts, in the order of their seq. On 0 each is sent or refused
 * (those refused in an earlier life too). -1: fenced, exit 111; -100: the
 * position contradicts the ledger, or the brokers refuse: exit 100. err says. */
int kafka_stream_send(struct kafka_stream *s, struct kafka_post *p, size_t n);

/* Internal to kafka-stream.c and kafka-agree.c. */
__attribute__((format(printf, 2, 3)))
int kafka_stream_stop(struct kafka_stream *s, const char *fmt, ...);
/* What the position and the ledger say about each other, as far as a line
 * tells: prev is the seq before it in its stream, head the ledger's last, base
 * where the epoch's numbers begin. 0, or -100: they contradict each other. */
int kafka_stream_agree(struct kafka_stream *s, const struct kafka_post *p);

#endif
