#include "kafka-out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "kafka-producer.h"

static const struct kafka_prop DEFAULTS[] = {
	{ "partitioner", "murmur2_random" },
	{ "linger.ms", "2" },
	{ "topic.metadata.propagation.max.ms", "2000" },
	{ "queue.buffering.max.messages", "1000000" },
	{ NULL, NULL }
};

static const struct kafka_prop PLAIN[] = {
	{ "enable.idempotence", "true" },
	{ "acks", "all" },
	{ "message.timeout.ms", "0" },          /* for ever */
	{ "allow.auto.create.topics", "false" },
	{ NULL, NULL }
};

bool
kafka_own_fault(rd_kafka_resp_err_t e)
{
	switch (e) {
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
		return true;
	default:
		return false;
	}
}

static void
on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka_out *o = opaque;
	struct kafka_post *p = m->_private;

	(void)rk;
	o->left--;
	if (!m->err) {
		if (p)
			p->sent = true;
		o->k.down = false;
		kafka_ready(&o->k.state);
	} else if (p && kafka_own_fault(m->err)) {
		p->failed = true;
		o->faults++;
		snprintf(p->why, sizeof(p->why), "topic %s: %s", p->msg.topic, rd_kafka_err2str(m->err));
	} else {
		o->broken = true;
	}
}

static void
tune(rd_kafka_conf_t *conf)
{
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
}

int
kafka_producer_open(struct kafka_out *o)
{
	const struct kafka_prop txn[] = {
		{ "transactional.id", o->o.txid },
		{ "transaction.timeout.ms", "10000" },
		{ "allow.auto.create.topics", "false" },
		{ NULL, NULL }
	};
	struct kafka_state state = o->k.state;

	if (o->k.rk)
		rd_kafka_destroy(o->k.rk);
	memset(&o->k, 0, sizeof(o->k));
	o->k.state = state;
	o->left = 0;
	o->broken = o->refused = false;
	return kafka_open(&o->k, RD_KAFKA_PRODUCER, DEFAULTS, o->o.txid ? txn : PLAIN, tune, o);
}

int
kafka_out_open(struct kafka_out **out, const struct kafka_out_opts *opts, char *err, size_t size)
{
	struct kafka_out *o = mem_zalloc(sizeof(*o));
	int r;

	o->o = *opts;
	kafka_state_open(&o->k.state, opts->state);
	if ((r = kafka_producer_open(o)) < 0) {
		snprintf(err, size, "%s", o->k.err);
		free(o);
		return r;
	}
	*out = o;
	return 0;
}

void
kafka_out_close(struct kafka_out *o)
{
	rd_kafka_destroy(o->k.rk);
	free(o->known);
	free(o);
}

const char *kafka_out_why(const struct kafka_out *o) { return o->k.err; }
uint64_t kafka_out_diverted(const struct kafka_out *o) { return o->diverted; }
struct kafka_state *kafka_out_state(struct kafka_out *o) { return &o->k.state; }

static rd_kafka_headers_t *
headers(const struct kafka_msg *m)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(m->n_headers);

	for (size_t i = 0; i < m->n_headers; i++)
		rd_kafka_header_add(h, m->headers[i].name, -1, m->headers[i].val,
		    (ssize_t)m->headers[i].len);
	return h;
}

void
kafka_producer_put(struct kafka_out *o, const struct kafka_msg *m, int32_t partition,
    struct kafka_post *p)
{
	rd_kafka_headers_t *h = m->n_headers ? headers(m) : NULL;
	rd_kafka_vu_t vus[8] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = m->topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { (void *)(uintptr_t)m->key, m->key_len } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { (void *)(uintptr_t)m->val, m->val_len } },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = p },
		/* 0 is "now" to librdkafka */
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = m->ts_ms > 0 ? m->ts_ms : 0 },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = h },
	};
	rd_kafka_error_t *e;
	rd_kafka_resp_err_t code;

	while ((e = rd_kafka_produceva(o->k.rk, vus, h ? 7 : 6))) {
		code = rd_kafka_error_code(e);
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			if (p && kafka_own_fault(code)) {     /* no neighbour can be meant: final */
				p->refused = true;
				snprintf(p->why, sizeof(p->why), "topic %s: %s", m->topic,
				    rd_kafka_error_string(e));
			} else {
				o->broken = true;
			}
			rd_kafka_error_destroy(e);
			if (h)
				rd_kafka_headers_destroy(h);
			return;
		}
		rd_kafka_error_destroy(e);
		rd_kafka_poll(o->k.rk, 100);
	}
	o->left++;
}

void
kafka_producer_reports(struct kafka_out *o, int ms)
{
	int64_t end = now_ms() + ms;

	while (o->left && !o->k.fatal && now_ms() < end)
		rd_kafka_poll(o->k.rk, 100);
}

bool
kafka_out_divert(struct kafka_out *o, struct kafka_post *p)
{
	bool other = kafka_post_divert(p, "refused");

	o->diverted += other;
	return other;
}

/* One round: those that are neither sent nor refused; alone when they failed
 * before in company. */
static size_t
round_of(struct kafka_out *o, struct kafka_post *p, size_t n, bool alone)
{
	size_t open = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i].sent || p[i].refused)
			continue;
		p[i].failed = false;
		kafka_producer_put(o, &p[i].msg, kafka_choose(o, &p[i]), &p[i]);
		if (alone) {
			while (o->left && !o->k.fatal)
				kafka_producer_reports(o, 1000);
			p[i].refused |= p[i].failed && !kafka_out_divert(o, &p[i]);
		}
	}
	while (o->left && !o->k.fatal)
		kafka_producer_reports(o, 1000);
	for (size_t i = 0; i < n; i++)
		open += !p[i].sent && !p[i].refused;
	return open;
}

int
kafka_out_send(struct kafka_out *o, struct kafka_post *p, size_t n)
{
	bool alone = n == 1;

	o->batch++;
	for (;;) {
		kafka_out_check(o, p, n);
		if (round_of(o, p, n, alone) == 0)
			return 0;
		alone = true;
		if (!o->k.fatal && !o->broken)
			continue;
		warn("the producer starts anew: %s", o->k.fatal ? o->k.err : "a message was not sent");
		if (kafka_producer_open(o) < 0)
			return -1;
	}
}
