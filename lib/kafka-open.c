/* A reader's beginning and end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "err.h"
#include "kafka-part.h"
#include "now.h"

enum { LEAVE_MS = 5000 };

/* At either limit of what is read ahead 2.0.2 sleeps a second. Work that is waited for by a database never empties
 * 64 MiB, the default, in that time; a reader of all that there is does. */
#define READING { "session.timeout.ms", "6000" }, { "heartbeat.interval.ms", "1000" }, { "fetch.wait.max.ms", "100" }, \
	{ "fetch.message.max.bytes", "1048576" }, { "queued.min.messages", "1000000" }
static const struct kafka_prop MEMBER[] = { READING, { NULL, NULL } };
static const struct kafka_prop ALONE[] = { READING, { "queued.max.messages.kbytes", "262144" }, { NULL, NULL } };

/* What the guarantees rest on. */
static const struct kafka_prop FIXED[] = {
	{ "enable.auto.commit", "false" },
	{ "enable.auto.offset.store", "false" },
	{ "auto.offset.reset", "error" },
	{ "isolation.level", "read_committed" },
	{ "allow.auto.create.topics", "false" },
	{ "enable.partition.eof", "true" },
	{ NULL, NULL }
};

/* Of the library that runs, which need not be the one we were built with.
 * Before 2.10 cooperative-sticky loses or spins on partitions when commits
 * meet a rebalance. */
static const char *
strategy(void)
{
	return rd_kafka_version() >= 0x020a00ff ? "cooperative-sticky" : "range,roundrobin";
}

static void
tune(rd_kafka_conf_t *conf)
{
	rd_kafka_conf_set_rebalance_cb(conf, kafka_group_rebalance);
	rd_kafka_conf_set_offset_commit_cb(conf, kafka_part_committed);
}

static void
split(struct kafka_in *in)
{
	char *save, *all = mem_dup(in->o.topics, strlen(in->o.topics));

	for (char *t = strtok_r(all, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
		in->topics = mem_array(in->topics, in->n_topics + 1, sizeof(*in->topics));
		in->topics[in->n_topics++] = mem_dup(t, strlen(t));
	}
	free(all);
}

/* librdkafka writes these 8 bytes into our eventfd when a message has come. */
static void
listen_to(struct kafka_in *in)
{
	static const uint64_t one = 1;
	rd_kafka_queue_t *q = rd_kafka_queue_get_consumer(in->k.rk);

	rd_kafka_queue_io_event_enable(q, in->fd, &one, sizeof(one));
	rd_kafka_queue_destroy(q);
}

static void
release(struct kafka_in *in)
{
	for (size_t i = 0; i < in->n_topics; i++)
		free(in->topics[i]);
	free(in->topics);
	free(in->part);
	if (in->had)
		rd_kafka_topic_partition_list_destroy(in->had);
	if (in->fd >= 0)
		close(in->fd);
	free(in);
}

/* As rd_kafka_consumer_close, which may wait for ever where a topic was deleted
 * under it (2.0.2): whoever gave up reading would then never end. */
static bool
leave_group(struct kafka_in *in)
{
	rd_kafka_queue_t *q = rd_kafka_queue_new(in->k.rk);
	rd_kafka_error_t *e = rd_kafka_consumer_close_queue(in->k.rk, q);
	int64_t end = now_ms() + LEAVE_MS;
	rd_kafka_message_t *m;
	bool left;

	if (e)
		rd_kafka_error_destroy(e);      /* closed already */
	while (!e && !rd_kafka_consumer_closed(in->k.rk) && now_ms() < end)
		if ((m = rd_kafka_consume_queue(q, 100)) != NULL)
			rd_kafka_message_destroy(m);
	left = e || rd_kafka_consumer_closed(in->k.rk);
	rd_kafka_queue_destroy(q);
	return left;
}

static bool
leave(struct kafka_in *in)
{
	bool left;

	if (!in->k.fatal)
		kafka_part_commit(in, LEAVE_MS);
	if (in->held)
		rd_kafka_message_destroy(in->held);
	while (in->out)
		kafka_rec_free(in->out);
	left = leave_group(in);
	kafka_part_drop_all(in);
	if (in->pending)
		rd_kafka_topic_partition_list_destroy(in->pending);
	if (!left)
		warn("the group did not let us go: the session will run out");
	return left && kafka_end(in->k.rk, LEAVE_MS);
}

void
kafka_in_close(struct kafka_in *in)
{
	/* The library's threads may still come to it: then it stays. */
	if (leave(in))
		release(in);
}

/* A static member that comes back has its old partitions back, and nobody looks
 * whether it still wants them: one with other topics is another member. FNV-1a. */
static void
member_name(char *out, size_t size, const struct kafka_in_opts *o)
{
	uint32_t h = 2166136261u;

	for (const char *p = o->topics; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	snprintf(out, size, "%s-%08" PRIx32, o->instance, h);
}

int
kafka_in_open(struct kafka_in **out, const struct kafka_in_opts *o, char *err, size_t size)
{
	struct kafka_in *in = mem_zalloc(sizeof(*in));
	char member[256] = "";
	/* librdkafka wants a group's name also where no group is joined. */
	const struct kafka_prop with[] = {
		{ "partition.assignment.strategy", strategy() },
		{ "group.id", o->group ? o->group : "sluice-none" },
		{ "group.instance.id", member },
		{ NULL, NULL }
	};
	struct kafka_prop fixed[sizeof(FIXED) / sizeof(FIXED[0]) + 3];
	size_t n = 0;
	int r = -2;

	if (o->group && o->instance)
		member_name(member, sizeof(member), o);
	for (; FIXED[n].name; n++)
		fixed[n] = FIXED[n];
	fixed[n++] = with[0];
	fixed[n++] = with[1];
	if (with[2].value[0])
		fixed[n++] = with[2];
	fixed[n] = with[3];
	in->o = *o;
	in->opened_ms = now_ms();
	kafka_state_open(&in->k.state, o->state);
	split(in);
	in->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	in->empty = true;
	if (in->fd < 0 || (r = kafka_open(&in->k, RD_KAFKA_CONSUMER, o->group ? MEMBER : ALONE, fixed, tune, in)) < 0) {
		snprintf(err, size, "%s", in->fd < 0 ? strerror(errno) : in->k.err);
		release(in);
		return r;
	}
	rd_kafka_poll_set_consumer(in->k.rk);
	listen_to(in);
	*out = in;
	return 0;
}
