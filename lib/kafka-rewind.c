#include "kafka-rewind.h"

#include <stdio.h>
#include <stdlib.h>

#include "kafka-rd.h"

enum { ASK_MS = 5000 };

struct kafka_rewind {
	struct kafka k;
	rd_kafka_queue_t *q;
	rd_kafka_topic_partition_list_t *l;
	const char *group;
};

static const struct kafka_prop NONE[] = { { NULL, NULL } };

int
kafka_rewind_open(struct kafka_rewind **out, const char *group, char *err, size_t size)
{
	struct kafka_rewind *r = mem_zalloc(sizeof(*r));
	int st = kafka_open(&r->k, RD_KAFKA_PRODUCER, NONE, NONE, NULL, &r->k);

	if (st < 0) {
		snprintf(err, size, "%s", r->k.err);
		free(r);
		return st;
	}
	r->q = rd_kafka_queue_new(r->k.rk);
	r->l = rd_kafka_topic_partition_list_new(16);
	r->group = group;
	*out = r;
	return 0;
}

int
kafka_rewind_partitions(struct kafka_rewind *r, const char *topic)
{
	return kafka_partitions(&r->k, topic, ASK_MS);
}

int
kafka_rewind_add(struct kafka_rewind *r, const char *topic, int32_t partition, int64_t *offset,
    char *err, size_t size)
{
	int64_t low, high;
	rd_kafka_resp_err_t e = kafka_bounds_of(&r->k, topic, partition, &low, &high, ASK_MS);
	int raised;

	if (e) {
		snprintf(err, size, "%s", rd_kafka_err2str(e));
		return -1;
	}
	raised = *offset < low;
	if (raised)
		*offset = low;
	rd_kafka_topic_partition_list_add(r->l, topic, partition)->offset = *offset;
	return raised;
}

static int
judge(rd_kafka_resp_err_t e, const char *text, char *err, size_t size)
{
	snprintf(err, size, "%s: %s", rd_kafka_err2name(e), text ? text : rd_kafka_err2str(e));
	switch (e) {
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
	case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
	case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:       /* how a broker says that it has members */
		return 1;
	default:
		return -1;
	}
}

static int
result(rd_kafka_event_t *ev, char *err, size_t size)
{
	const rd_kafka_topic_partition_list_t *l;
	const rd_kafka_group_result_t **g;
	size_t n = 0;

	if (!ev)
		return judge(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer in time", err, size);
	if (rd_kafka_event_error(ev))
		return judge(rd_kafka_event_error(ev), rd_kafka_event_error_string(ev), err, size);
	g = rd_kafka_AlterConsumerGroupOffsets_result_groups(
	    rd_kafka_event_AlterConsumerGroupOffsets_result(ev), &n);
	if (n == 1 && rd_kafka_group_result_error(g[0]))
		return judge(rd_kafka_error_code(rd_kafka_group_result_error(g[0])),
		    rd_kafka_error_string(rd_kafka_group_result_error(g[0])), err, size);
	l = n == 1 ? rd_kafka_group_result_partitions(g[0]) : NULL;
	if (!l)
		return judge(RD_KAFKA_RESP_ERR__FAIL, "an empty answer", err, size);
	for (int i = 0; i < l->cnt; i++)
		if (l->elems[i].err)
			return judge(l->elems[i].err, NULL, err, size);
	return 0;
}

int
kafka_rewind_commit(struct kafka_rewind *r, int wait_ms, char *err, size_t size)
{
	rd_kafka_AlterConsumerGroupOffsets_t *a = rd_kafka_AlterConsumerGroupOffsets_new(r->group, r->l);
	rd_kafka_event_t *ev;
	int st;

	rd_kafka_AlterConsumerGroupOffsets(r->k.rk, &a, 1, NULL, r->q);
	ev = rd_kafka_queue_poll(r->q, wait_ms);
	st = result(ev, err, size);
	if (ev)
		rd_kafka_event_destroy(ev);
	rd_kafka_AlterConsumerGroupOffsets_destroy(a);
	return st;
}

void
kafka_rewind_close(struct kafka_rewind *r)
{
	rd_kafka_topic_partition_list_destroy(r->l);
	rd_kafka_queue_destroy(r->q);
	rd_kafka_destroy(r->k.rk);
	free(r);
}
