#include "kafka-in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "kafka-part.h"

static void
headers(struct kafka_rec *r, rd_kafka_headers_t *h, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const void *val = NULL;

		rd_kafka_header_get_all(h, i, &r->headers[i].name, &val, &r->headers[i].len);
		r->headers[i].val = val;
	}
	r->msg.headers = r->headers;
	r->msg.n_headers = n;
}

static struct kafka_rec *
hand_out(struct kafka_in *in, struct part *p, rd_kafka_message_t *m)
{
	rd_kafka_headers_t *h = NULL;
	rd_kafka_timestamp_type_t type;
	size_t n = rd_kafka_message_headers(m, &h) == 0 ? rd_kafka_header_cnt(h) : 0;
	struct kafka_rec *r = mem_zalloc(sizeof(*r) + n * sizeof(r->headers[0]));

	r->msg = (struct kafka_msg){
		.topic = rd_kafka_topic_name(m->rkt), .partition = m->partition,
		.offset = m->offset, .prev = p->next, .low = p->low, .ts_ms = rd_kafka_message_timestamp(m, &type),
		.key = m->key, .key_len = m->key_len, .val = m->payload, .val_len = m->len
	};
	headers(r, h, n);
	r->rkm = m;
	r->part = p;
	p->out++;
	r->number = mark_put(&p->mark, m->offset);
	p->next = m->offset + 1;
	p->at_end = false;
	r->next = in->out;
	r->link = &in->out;
	if (r->next)
		r->next->link = &r->next;
	in->out = r;
	return r;
}

/* A message that is an event of librdkafka. */
static void
event(struct kafka_in *in, const rd_kafka_message_t *m)
{
	struct part *p = m->rkt ? kafka_part_find(in, rd_kafka_topic_name(m->rkt), m->partition) : NULL;

	switch (m->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		if (p) {
			p->at_end = true;
			p->ended |= m->offset >= p->until;
		}
		return;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		if (p) {
			in->k.suspect = true;
			return;
		}
		/* fall through */
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		kafka_waits(&in->k.state, "%s", rd_kafka_message_errstr(m));
		return;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		if (p)
			kafka_group_restart(in, p, "the position is not there");
		return;
	case RD_KAFKA_RESP_ERR__FATAL:
		in->k.fatal = rd_kafka_fatal_error(in->k.rk, in->k.err, sizeof(in->k.err));
		return;
	default:
		warn("kafka: %s", rd_kafka_message_errstr(m));
		return;
	}
}

static void
unpause(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l;

	if (!in->paused)
		return;
	l = kafka_part_list(in);
	rd_kafka_resume_partitions(in->k.rk, l);
	rd_kafka_topic_partition_list_destroy(l);
	in->paused = false;
}

rd_kafka_message_t *
kafka_in_poll(struct kafka_in *in)
{
	rd_kafka_message_t *m;

	while ((m = rd_kafka_consumer_poll(in->k.rk, 0)) && m->err) {
		event(in, m);
		rd_kafka_message_destroy(m);
	}
	return m;
}

int
kafka_in_next(struct kafka_in *in, struct kafka_rec **rec)
{
	rd_kafka_message_t *m;
	struct part *p;
	uint64_t n;

	in->polled_ms = now_ms();
	/* Once for all that is there: what comes after is told again. */
	if (in->empty && read(in->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		warn_sys("read eventfd");
	in->empty = false;
	unpause(in);
	for (;;) {
		m = in->held ? in->held : kafka_in_poll(in);
		in->held = NULL;
		if (!m || in->k.fatal) {
			in->empty = true;
			if (m)
				rd_kafka_message_destroy(m);
			return in->k.fatal ? -1 : 0;
		}
		p = kafka_part_find(in, rd_kafka_topic_name(m->rkt), m->partition);
		/* From before an assignment that is gone: it will come again. */
		if (p && m->offset >= p->next && m->offset < p->until)
			break;
		if (p && m->offset >= p->until)
			p->ended = true;
		rd_kafka_message_destroy(m);
	}
	*rec = hand_out(in, p, m);
	if (in->k.state.why[0] && !in->pending && !in->missing) {
		in->k.down = false;
		kafka_ready(&in->k.state);
	}
	return 1;
}

void
kafka_rec_free(struct kafka_rec *r)
{
	if (r->next)
		r->next->link = r->link;
	*r->link = r->next;
	kafka_part_unref(r->part);
	rd_kafka_message_destroy(r->rkm);
	free(r);
}

void
kafka_in_done(struct kafka_in *in, struct kafka_rec *r)
{
	struct part *p = r->part;

	(void)in;
	if (!p->gone)
		mark_done(&p->mark, r->number);
	kafka_rec_free(r);
}
