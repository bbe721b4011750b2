/* Reading the one record that says how far a stream has been published. */
#include <stdio.h>
#include <string.h>

#include "kafka-out.h"
#include "kafka-rd.h"

enum {
	ASK_MS = 3000,
	LATEST = 2000,          /* offsets to try before reading from the start */
	END_MS = 30000          /* a reader is held up by others' open transactions, 10 s each */
};

static const struct kafka_prop DEFAULTS[] = { { "fetch.wait.max.ms", "100" }, { NULL, NULL } };
/* Asked by a reader of what is committed, a broker names as the end the place
 * where the first open transaction begins: ours may lie behind another's. */
static const struct kafka_prop WHOLE[] = {
	{ "group.id", "sluice-none" },
	{ "enable.auto.commit", "false" },
	{ "isolation.level", "read_uncommitted" },
	{ "allow.auto.create.topics", "false" },
	{ NULL, NULL }
};
static const struct kafka_prop FIXED[] = {
	{ "group.id", "sluice-none" },
	{ "enable.auto.commit", "false" },
	{ "auto.offset.reset", "error" },
	{ "isolation.level", "read_committed" },
	{ "enable.partition.eof", "true" },
	{ "allow.auto.create.topics", "false" },
	{ NULL, NULL }
};

static int
assign(struct kafka *k, const char *topic, int64_t from)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t e;

	rd_kafka_topic_partition_list_add(l, topic, 0)->offset = from;
	e = rd_kafka_assign(k->rk, l);
	rd_kafka_topic_partition_list_destroy(l);
	return e ? -1 : 0;
}

/* Reads [from, high); the last value of key replaces what is in value. The
 * position counts as read only when the end itself, high, has been reached:
 * before it, an open transaction of another stream hides what follows. */
static int
scan(struct kafka *k, const char *topic, int64_t from, int64_t high, const char *key,
    struct buf *value)
{
	int64_t end = now_ms() + END_MS;
	int found = 0;

	if (assign(k, topic, from) < 0)
		return -1;
	while (now_ms() < end) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, 200);
		bool over = m && (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) && m->offset >= high;

		if (m && !m->err && m->key_len == strlen(key) && memcmp(m->key, key, m->key_len) == 0) {
			value->len = 0;
			buf_add(value, m->payload, m->len);
			found = m->payload != NULL;
		}
		if (m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && !over)
			kafka_waits(&k->state, "an open transaction on %s hides its end", topic);
		if (m)
			rd_kafka_message_destroy(m);
		if (over)
			return found;
		if (k->fatal)
			return -1;
	}
	return -1;
}

/* Where the topic begins and ends. */
static int
ends(struct kafka *k, const char *topic, int64_t *low, int64_t *high)
{
	rd_kafka_resp_err_t e;
	int r = kafka_partitions(k, topic, ASK_MS);

	if (r <= 0) {
		rd_kafka_consumer_poll(k->rk, 0);
		if (r == 0)
			kafka_waits(&k->state, "there is no topic %s", topic);
		else if (!k->down)
			kafka_waits_broker(k);
		return -1;
	}
	e = kafka_bounds_of(k, topic, 0, low, high, ASK_MS);
	if (e)
		kafka_waits(&k->state, "position on %s: %s", topic, rd_kafka_err2str(e));
	return e ? -1 : 0;
}

static int
last(struct kafka *k, const char *topic, int64_t low, int64_t high, const char *key, struct buf *value)
{
	int64_t from = high - LATEST > low ? high - LATEST : low;
	int r = scan(k, topic, from, high, key, value);

	return r == 0 && from > low ? scan(k, topic, low, high, key, value) : r;
}

static int
client(struct kafka *k, const struct kafka_prop *fixed, struct kafka_state *state)
{
	*k = (struct kafka){ .state = *state };
	if (kafka_open(k, RD_KAFKA_CONSUMER, DEFAULTS, fixed, NULL, k) < 0) {
		kafka_waits(state, "%s", k->err);
		return -1;
	}
	rd_kafka_poll_set_consumer(k->rk);
	return 0;
}

static void
leave(struct kafka *k, struct kafka_state *state)
{
	rd_kafka_consumer_close(k->rk);
	rd_kafka_destroy(k->rk);
	*state = k->state;
}

int
kafka_position(const char *topic, const char *key, struct buf *value, struct kafka_state *state)
{
	struct kafka k;
	int64_t low, high;
	int r;

	if (client(&k, WHOLE, state) < 0)
		return -1;
	r = ends(&k, topic, &low, &high);
	leave(&k, state);
	if (r == 0 && high > low) {
		if (client(&k, FIXED, state) < 0)
			return -1;
		r = last(&k, topic, low, high, key, value);
		leave(&k, state);
	}
	if (r >= 0)
		kafka_ready(state);
	return r;
}
