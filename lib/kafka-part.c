#include "kafka-part.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

enum { CHECK_MS = 1000 };       /* a broker that takes longer: committed next time */

struct part *
kafka_part_add(struct kafka_in *in, const char *topic, int32_t id, int64_t start)
{
	struct part *p = mem_zalloc(sizeof(*p));

	p->topic = mem_dup(topic, strlen(topic));
	p->id = id;
	p->next = start;
	p->asked = -1;                  /* commit it, for kafka_group_check */
	p->until = INT64_MAX;
	mark_init(&p->mark, start);
	in->part = mem_array(in->part, in->n + 1, sizeof(struct part *));
	in->part[in->n++] = p;
	return p;
}

struct part *
kafka_part_find(struct kafka_in *in, const char *topic, int32_t id)
{
	for (size_t i = 0; i < in->n; i++) {
		size_t at = (in->last + i) % in->n;
		struct part *p = in->part[at];

		if (p->id == id && strcmp(p->topic, topic) == 0) {
			in->last = at;
			return p;
		}
	}
	return NULL;
}

static void
release(struct part *p)
{
	free(p->topic);
	mark_release(&p->mark);
	free(p);
}

void
kafka_part_drop(struct kafka_in *in, struct part *p)
{
	size_t i = 0;

	while (in->part[i] != p)
		i++;
	/* Should it come back, what is before this message must come first. */
	if (in->held && in->held->partition == p->id && strcmp(rd_kafka_topic_name(in->held->rkt), p->topic) == 0) {
		rd_kafka_message_destroy(in->held);
		in->held = NULL;
	}
	in->part[i] = in->part[--in->n];
	in->last = 0;
	p->gone = true;
	kafka_group_remember(in, p);
	if (!p->out)
		release(p);
}

void
kafka_part_drop_all(struct kafka_in *in)
{
	while (in->n)
		kafka_part_drop(in, in->part[in->n - 1]);
	in->assigned = in->paused = false;
}

void
kafka_part_unref(struct part *p)
{
	if (--p->out == 0 && p->gone)
		release(p);
}

rd_kafka_topic_partition_list_t *
kafka_part_list(const struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new((int)in->n);

	for (size_t i = 0; i < in->n; i++)
		rd_kafka_topic_partition_list_add(l, in->part[i]->topic, in->part[i]->id)->offset =
		    in->part[i]->next;
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

		if (!p)
			continue;
		p->committed |= !err && !l->err;
		/* Again; also when an older one, sent anew by librdkafka after a
		 * connection broke, came through behind it. */
		if (err || l->err || l->offset != p->asked)
			p->asked = -1;
	}
}

static bool
moved(const struct kafka_in *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->part[i]->mark.value != in->part[i]->asked)
			return true;
	return false;
}

void
kafka_part_commit(struct kafka_in *in, int wait_ms)
{
	rd_kafka_topic_partition_list_t *l;
	rd_kafka_queue_t *q;
	rd_kafka_resp_err_t e;

	if (!in->o.group || !in->assigned || !moved(in) ||
	    kafka_group_check(in, wait_ms ? wait_ms : CHECK_MS) < 0)
		return;
	l = rd_kafka_topic_partition_list_new((int)in->n);
	for (size_t i = 0; i < in->n; i++) {
		struct part *p = in->part[i];

		if (p->mark.value == p->asked || p->missing)
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
