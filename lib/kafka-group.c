/* How partitions come and go. With cooperative-sticky they do so one by one,
 * else all at once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "kafka-part.h"

enum { COMMIT_MS = 5000, UNASSIGN_TRIES = 3 };

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
kafka_group_start(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l;

	in->left_ms = now_ms();
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
		for (int32_t id = 0; id < n; id++)
			if (in->o.partition < 0 || in->o.partition == id)
				rd_kafka_topic_partition_list_add(l, in->topics[i], id);
	}
	if (l->cnt == 0) {
		kafka_waits(&in->k.state, "%s has no partition %" PRId64, in->o.topics, in->o.partition);
		rd_kafka_topic_partition_list_destroy(l);
		return -1;
	}
	in->pending = l;
	return 0;
}

/* Tells the client what it owns from now on. */
static int
assign(struct kafka_in *in, rd_kafka_topic_partition_list_t *added)
{
	rd_kafka_topic_partition_list_t *all;
	rd_kafka_error_t *e;
	rd_kafka_resp_err_t code;

	if (in->cooperative) {
		e = rd_kafka_incremental_assign(in->k.rk, added);
		code = e ? rd_kafka_error_code(e) : RD_KAFKA_RESP_ERR_NO_ERROR;
		if (e)
			rd_kafka_error_destroy(e);
	} else {
		all = kafka_part_list(in);
		code = rd_kafka_assign(in->k.rk, all);
		rd_kafka_topic_partition_list_destroy(all);
	}
	if (code)
		warn("assign: %s", rd_kafka_err2str(code));
	else if (in->paused)            /* as the others are: see kafka-tick.c */
		rd_kafka_pause_partitions(in->k.rk, added);
	return code ? -1 : 0;
}

/* Finds where they start and makes them ours. */
static int
begin(struct kafka_in *in, rd_kafka_topic_partition_list_t *l)
{
	size_t n = (size_t)l->cnt + 1;
	int64_t *low = mem_array(NULL, n, sizeof(*low)), *high = mem_array(NULL, n, sizeof(*high)), until;
	int r = kafka_start(in, l, low, high);

	for (int i = 0; r == 0 && i < l->cnt; i++) {
		const rd_kafka_topic_partition_t *t = &l->elems[i];
		struct part *p = kafka_part_find(in, t->topic, t->partition);

		if ((r = kafka_until(in, t->topic, t->partition, high[i], &until)) < 0)
			break;
		if (!p) {
			p = kafka_part_add(in, t->topic, t->partition, t->offset);
			p->low = low[i];
		}
		p->until = until;
		p->ended = p->next >= until;
	}
	free(low);
	free(high);
	return r;
}

int
kafka_group_resolve(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l = in->pending;

	if (begin(in, l) < 0 || assign(in, l) < 0)
		return -1;
	rd_kafka_topic_partition_list_destroy(l);
	in->pending = NULL;
	in->assigned = true;
	info("assigned: topics=%s partitions=%zu", in->o.topics, in->n);
	in->lost &= in->n == 0;
	if (!in->lost)
		kafka_ready(&in->k.state);
	kafka_part_commit(in, 0);       /* what kafka_group_check goes by */
	return 0;
}

static void
revoked(struct kafka_in *in, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t code;
	rd_kafka_error_t *e;

	in->left_ms = now_ms();
	if (rd_kafka_assignment_lost(in->k.rk)) {
		warn("the group took our partitions away: partitions=%d", list->cnt);
		in->lost = true;
	} else {
		kafka_part_commit(in, COMMIT_MS);
	}
	/* librdkafka remembers who was paused: given to us once more it would not be read. */
	if (in->paused)
		rd_kafka_resume_partitions(in->k.rk, list);
	if (!in->cooperative) {
		in->paused = false;
		kafka_part_drop_all(in);
		/* Without it the group and rd_kafka_consumer_close would wait for ever. */
		for (int i = 0; (code = rd_kafka_assign(in->k.rk, NULL)) && i < UNASSIGN_TRIES; i++)
			;
		if (code)
			warn("unassign: %s", rd_kafka_err2str(code));
		return;
	}
	for (int i = 0; i < list->cnt; i++) {
		struct part *p = kafka_part_find(in, list->elems[i].topic, list->elems[i].partition);

		if (p)
			kafka_part_drop(in, p);
	}
	in->assigned &= in->n || !in->lost;
	e = rd_kafka_incremental_unassign(in->k.rk, list);
	if (e) {
		warn("unassign: %s", rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
	}
	info("given back: topics=%s partitions=%d left=%zu", in->o.topics, list->cnt, in->n);
}

void
kafka_group_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_in *in = opaque;
	const char *protocol = rd_kafka_rebalance_protocol(rk);

	in->cooperative = protocol && strcmp(protocol, "COOPERATIVE") == 0;
	if (in->pending)
		rd_kafka_topic_partition_list_destroy(in->pending);
	in->pending = NULL;
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		in->pending = rd_kafka_topic_partition_list_copy(list);
		kafka_group_resolve(in);        /* if not now, then in a later tick */
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		warn("rebalance: %s", rd_kafka_err2str(err));
	revoked(in, list);
}

void
kafka_group_anew(const char *why, const char *topic, int32_t id, int64_t at, int64_t low, int64_t high)
{
	warn("%s: position %" PRId64 " of %s[%" PRId32 "], which holds %" PRId64 " to %" PRId64
	    ": starting at %" PRId64, why, at, topic, id, low, high, low);
}

void
kafka_group_restart(struct kafka_in *in, struct part *p, const char *why)
{
	rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
	int64_t low, high, at = p->next;
	rd_kafka_error_t *e;

	rd_kafka_topic_partition_list_add(one, p->topic, p->id);
	low = high = 0;
	if (kafka_bounds_of(&in->k, p->topic, p->id, &low, &high, COMMIT_MS))
		low = 0;                /* made anew: a second look follows where that is not so */
	kafka_group_anew(why, p->topic, p->id, at, low, high);
	if (in->cooperative && (e = rd_kafka_incremental_unassign(in->k.rk, one)))
		rd_kafka_error_destroy(e);
	one->elems[0].offset = low;
	at = p->until;
	kafka_part_drop(in, p);
	p = kafka_part_add(in, one->elems[0].topic, one->elems[0].partition, low);
	p->until = at;
	p->low = low;
	assign(in, one);
	rd_kafka_topic_partition_list_destroy(one);
}
