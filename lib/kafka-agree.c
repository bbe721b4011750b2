/* What a stream's position on Kafka and the lines of its ledger say about each other. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "kafka-stream.h"

int
kafka_stream_stop(struct kafka_stream *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->err, sizeof(s->err), fmt, ap);
	va_end(ap);
	return -100;
}

/* The first line of an epoch that the position does not know. What the ledger has
 * published (prev) must not be of this epoch, and what Kafka has not beyond its base. */
static int
new_epoch(struct kafka_stream *s, const struct kafka_post *p)
{
	uint64_t prev = p->has_prev ? p->prev : 0;

	if (s->epoch && p->has_base && s->seq >= p->base)
		return kafka_stream_stop(s, "the position %" PRIu64 " of epoch %" PRIu64 " is ahead of where epoch %" PRIu64
		    " begins, %" PRIu64 ": " KAFKA_STREAM_HELP, s->seq, s->epoch, p->epoch, p->base);
	if (p->has_base ? prev >= p->base : prev && !s->epoch)
		return kafka_stream_stop(s, "Kafka has no position of this stream%s, but the ledger has published "
		    "up to %" PRIu64 ": " KAFKA_STREAM_HELP, s->epoch ? "'s epoch" : "", prev);
	if (s->epoch)
		info("a new epoch: epoch=%" PRIu64 " was=%" PRIu64, p->epoch, s->epoch);
	/* Published before the restore, and not marked in the backup. */
	if (!p->has_base || s->seq < prev)
		s->seq = prev;
	s->epoch = p->epoch;
	s->digest[0] = '\0';
	return 0;
}

/* A ledger that was put back and has numbered anew past the position has another
 * message there, or none: then what it has below was never sent. */
static int
same(struct kafka_stream *s, const struct kafka_post *p)
{
	char hex[SHA256_HEX];

	if (!s->digest[0] || p->seq < s->seq || (p->seq > s->seq && (!p->has_prev || p->prev >= s->seq)))
		return 0;
	kafka_post_digest(p, hex);
	if (p->seq == s->seq && strcmp(hex, s->digest) == 0)
		return 0;
	return kafka_stream_stop(s, "the position %" PRIu64 " is of another message than the ledger's %" PRIu64
	    ": it was restored from a backup; " KAFKA_STREAM_HELP, s->seq, p->seq);
}

int
kafka_stream_agree(struct kafka_stream *s, const struct kafka_post *p)
{
	if (p->epoch < s->epoch)
		return kafka_stream_stop(s, "the ledger's epoch %" PRIu64 " is older than the published one, %" PRIu64
		    ": it was restored from a backup; " KAFKA_STREAM_HELP, p->epoch, s->epoch);
	if (p->epoch > s->epoch)
		return new_epoch(s, p);
	if (p->has_head && s->seq > p->head)
		return kafka_stream_stop(s, "the position %" PRIu64 " is ahead of the ledger's last, %" PRIu64
		    ": it was restored from a backup; " KAFKA_STREAM_HELP, s->seq, p->head);
	if (p->seq > s->seq && p->has_prev && p->prev > s->seq)
		return kafka_stream_stop(s, "the position %" PRIu64 " is behind the ledger, which has published up to %"
		    PRIu64 ": " KAFKA_STREAM_HELP, s->seq, p->prev);
	return same(s, p);
}
