/* Topics that are deleted, and made anew under the same name, while they are
 * read. librdkafka goes on at the old position then: before 2.3 it knows no topic
 * by more than its name. */
#include <string.h>

#include "err.h"
#include "kafka-part.h"

enum { COMMIT_MS = 2000 };

static struct part *
first_missing(struct kafka_in *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->part[i]->missing)
			return in->part[i];
	return NULL;
}

/* A topic is deleted whole: what is true of one partition is true of all. */
static void
lost(struct kafka_in *in, const char *topic)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->part[i]->topic, topic) == 0)
			in->part[i]->missing = in->missing = true;
}

void
kafka_group_missing(struct kafka_in *in)
{
	struct part *p;

	for (size_t i = 0; in->k.suspect && i < in->n; i++)
		if (kafka_partitions(&in->k, in->part[i]->topic, 1000) == 0)
			lost(in, in->part[i]->topic);
	in->k.suspect = false;
	if (!in->missing)
		return;
	while ((p = first_missing(in))) {
		if (kafka_partitions(&in->k, p->topic, 1000) <= p->id) {
			kafka_waits(&in->k.state, "the topic %s is not there any more", p->topic);
			return;
		}
		kafka_group_restart(in, p, "the topic was made anew");
	}
	in->missing = false;
	if (!in->n) {                   /* the group has taken them away meanwhile */
		in->lost = true;
		return;
	}
	kafka_part_commit(in, COMMIT_MS);       /* what the next check goes by */
	kafka_ready(&in->k.state);
}

/* A later librdkafka than 2.0.2 notices itself, and has the group take the partitions
 * away: then there is none here to be missing. */
void
kafka_group_look(struct kafka_in *in)
{
	for (size_t i = 0; i < in->n_topics; i++) {
		int n = kafka_partitions(&in->k, in->topics[i], 1000);

		if (n == 0)
			kafka_waits(&in->k.state, "the topic %s is not there any more", in->topics[i]);
		if (n <= 0)
			return;
	}
	if (!in->assigned) {
		kafka_waits(&in->k.state, "the group took our partitions away");
		return;
	}
	in->lost = false;
	if (!in->missing && !in->pending)
		kafka_ready(&in->k.state);
}

void
kafka_group_remember(struct kafka_in *in, const struct part *p)
{
	rd_kafka_topic_partition_t *t;

	if (!p->committed)
		return;
	if (!in->had)
		in->had = rd_kafka_topic_partition_list_new(8);
	t = rd_kafka_topic_partition_list_find(in->had, p->topic, p->id);
	if (!t)
		t = rd_kafka_topic_partition_list_add(in->had, p->topic, p->id);
	t->offset = p->next;
}

bool
kafka_group_had(struct kafka_in *in, const char *topic, int32_t id, int64_t low, int64_t high)
{
	rd_kafka_topic_partition_t *t =
	    in->had ? rd_kafka_topic_partition_list_find(in->had, topic, id) : NULL;

	if (t && t->offset >= 0)
		kafka_group_anew("the topic was made anew", topic, id, t->offset, low, high);
	if (t)
		t->offset = -1;         /* said */
	return t != NULL;
}

int
kafka_group_check(struct kafka_in *in, int wait_ms)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new((int)in->n);
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (size_t i = 0; i < in->n; i++)
		if (in->part[i]->committed)
			rd_kafka_topic_partition_list_add(l, in->part[i]->topic, in->part[i]->id);
	if (l->cnt)
		e = rd_kafka_committed(in->k.rk, l, wait_ms);
	for (int i = 0; !e && i < l->cnt; i++) {
		const rd_kafka_topic_partition_t *t = &l->elems[i];

		if (!t->err && t->offset == RD_KAFKA_OFFSET_INVALID)
			lost(in, t->topic);
	}
	rd_kafka_topic_partition_list_destroy(l);
	if (in->missing)
		kafka_group_missing(in);
	return e ? -1 : 0;
}
