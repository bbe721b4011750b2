#include "kafka-part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

enum { ASK_MS = 3000, COMMIT_MS = 5000 };

static int
subscribe(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new((int)in->n_topics);
	rd_kafka_resp_err_t e;

	for (size_t i = 0; i < in->n_topics; i++)
		rd_kafka_topic_partition_list_add(l, in->topics[i], RD_KAFKA_PARTITION_UA);
	e = rd_kafka_subscribe(in->k.rk, l);
	rd_kafka_topic_partition_list_destroy(l);
	if (e)
		kafka_waits(&in->k.state, "subscribe: %s", rd_kafka_err2str(e));
	return e ? -1 : 0;
}

int
kafka_part_start(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l;

	if (in->o.group)
		return subscribe(in);
	l = rd_kafka_topic_partition_list_new(8);
	for (size_t i = 0; i < in->n_topics; i++) {
		int n = kafka_partitions(&in->k, in->topics[i], 1000);

		if (n <= 0) {
			if (n == 0)
				kafka_waits(&in->k.state, "there is no topic %s", in->topics[i]);
			rd_kafka_topic_partition_list_destroy(l);
			return -1;
		}
		rd_kafka_topic_partition_list_add_range(l, in->topics[i], 0, n - 1);
	}
	in->pending = l;
	return 0;
}

void
kafka_part_drop(struct kafka_in *in)
{
	for (size_t i = 0; i < in->n; i++) {
		free(in->part[i].topic);
		mark_release(&in->part[i].mark);
	}
	in->n = in->last = 0;
	in->gen++;
	in->assigned = in->paused = false;
}

/* Where to start in a partition that holds low..high. */
static int64_t
start_of(const struct kafka_in *in, const rd_kafka_topic_partition_t *p, int64_t low, int64_t high)
{
	int64_t want = p->offset;

	if (want < 0)
		want = in->o.start == KAFKA_BEGINNING ? low : in->o.start == KAFKA_END ? high : in->o.start;
	if (want >= low && want <= high)
		return want;
	warn("position %" PRId64 " of %s[%" PRId32 "] is outside what it holds, %" PRId64 " to %"
	    PRId64 ": starting at %" PRId64, want, p->topic, p->partition, low, high, low);
	return low;
}

static int
starts(struct kafka_in *in, rd_kafka_topic_partition_list_t *l)
{
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int i = 0; i < l->cnt; i++)
		l->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
	if (in->o.group && l->cnt)
		e = rd_kafka_committed(in->k.rk, l, ASK_MS);
	for (int i = 0; !e && i < l->cnt; i++) {
		rd_kafka_topic_partition_t *p = &l->elems[i];
		int64_t low, high;

		e = p->err;
		if (!e)
			e = rd_kafka_query_watermark_offsets(in->k.rk, p->topic, p->partition,
			    &low, &high, ASK_MS);
		if (!e)
			p->offset = start_of(in, p, low, high);
	}
	if (e)
		kafka_waits(&in->k.state, "positions of %s: %s", in->o.topics, rd_kafka_err2str(e));
	return e ? -1 : 0;
}

int
kafka_part_resolve(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l = in->pending;
	rd_kafka_resp_err_t e;

	if (starts(in, l) < 0)
		return -1;
	kafka_part_drop(in);
	in->part = mem_array(in->part, (size_t)l->cnt + 1, sizeof(*in->part));
	for (int i = 0; i < l->cnt; i++) {
		struct part *p = &in->part[in->n++];

		memset(p, 0, sizeof(*p));
		p->topic = mem_dup(l->elems[i].topic, strlen(l->elems[i].topic));
		p->id = l->elems[i].partition;
		p->next = p->asked = l->elems[i].offset;
		mark_init(&p->mark, p->next);
	}
	e = rd_kafka_assign(in->k.rk, l);
	rd_kafka_topic_partition_list_destroy(l);
	in->pending = NULL;
	if (e) {
		warn("assign: %s", rd_kafka_err2str(e));
		return -1;
	}
	in->assigned = true;
	info("assigned: topics=%s partitions=%zu", in->o.topics, in->n);
	kafka_ready(&in->k.state);
	return 0;
}

void
kafka_part_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_in *in = opaque;

	if (in->pending)
		rd_kafka_topic_partition_list_destroy(in->pending);
	in->pending = NULL;
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		in->pending = rd_kafka_topic_partition_list_copy(list);
		kafka_part_resolve(in);         /* if not now, then in a later tick */
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		warn("rebalance: %s", rd_kafka_err2str(err));
	if (rd_kafka_assignment_lost(rk))
		warn("the group took our partitions away: partitions=%zu", in->n);
	else
		kafka_part_commit(in, COMMIT_MS);
	kafka_part_drop(in);
	rd_kafka_assign(rk, NULL);
}

int
kafka_part_again(struct kafka_in *in)
{
	kafka_part_commit(in, COMMIT_MS);
	if (!in->pending)
		in->pending = kafka_part_list(in);
	return kafka_part_resolve(in);
}

struct part *
kafka_part_find(struct kafka_in *in, const char *topic, int32_t id)
{
	for (size_t i = 0; i < in->n; i++) {
		size_t at = (in->last + i) % in->n;

		if (in->part[at].id == id && strcmp(in->part[at].topic, topic) == 0) {
			in->last = at;
			return &in->part[at];
		}
	}
	return NULL;
}

rd_kafka_topic_partition_list_t *
kafka_part_list(const struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new((int)in->n);

	for (size_t i = 0; i < in->n; i++)
		rd_kafka_topic_partition_list_add(l, in->part[i].topic, in->part[i].id);
	return l;
}

void
kafka_part_committed(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_in *in = opaque;

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__NO_OFFSET || !list)
		return;
	if (err)
		warn("commit: %s", rd_kafka_err2str(err));
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *l = &list->elems[i];
		struct part *p = kafka_part_find(in, l->topic, l->partition);

		if (p && (err || l->err))
			p->asked = -1;          /* ask again */
	}
}

void
kafka_part_commit(struct kafka_in *in, int wait_ms)
{
	rd_kafka_topic_partition_list_t *l;
	rd_kafka_queue_t *q;
	rd_kafka_resp_err_t e;

	if (!in->o.group || !in->assigned)
		return;
	l = rd_kafka_topic_partition_list_new((int)in->n);
	for (size_t i = 0; i < in->n; i++) {
		struct part *p = &in->part[i];

		if (p->mark.value == p->asked)
			continue;
		p->asked = p->mark.value;
		rd_kafka_topic_partition_list_add(l, p->topic, p->id)->offset = p->asked;
	}
	if (l->cnt) {
		q = wait_ms ? rd_kafka_queue_new(in->k.rk) : NULL;
		e = q ? rd_kafka_commit_queue(in->k.rk, l, q, kafka_part_committed, in) :
		    rd_kafka_commit(in->k.rk, l, 1);
		if (e)
			warn("commit: %s", rd_kafka_err2str(e));
		else if (q && rd_kafka_queue_poll_callback(q, wait_ms) == 0)
			warn("commit: no answer in %d ms", wait_ms);
		if (q)
			rd_kafka_queue_destroy(q);
	}
	rd_kafka_topic_partition_list_destroy(l);
}
