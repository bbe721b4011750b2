/* Questions about the cluster, asked of whichever broker answers. */
#include "kafka-rd.h"

/* Some broker's word of who leads what, which the client keeps. */
static bool
learn(struct kafka *k, int ms)
{
	const struct rd_kafka_metadata *md;

	if (rd_kafka_metadata(k->rk, 0, NULL, &md, ms))
		return false;
	rd_kafka_metadata_destroy(md);
	return true;
}

bool
kafka_answers(struct kafka *k, int ms)
{
	bool r = learn(k, ms);

	k->down &= !r;
	return r;
}

/* rd_kafka_query_watermark_offsets asks the same of -2 and -1, but before 2.3 it waits past
 * its timeout, minutes, for a leader that has gone. */
rd_kafka_resp_err_t
kafka_offsets_at(struct kafka *k, const rd_kafka_topic_partition_list_t *l, int64_t time, int64_t *offset, int ms)
{
	rd_kafka_topic_partition_list_t *ask = rd_kafka_topic_partition_list_copy(l);
	rd_kafka_resp_err_t e;

	for (int i = 0; i < l->cnt; i++)
		ask->elems[i].offset = time;
	e = rd_kafka_offsets_for_times(k->rk, ask, ms);
	for (int i = 0; !e && i < l->cnt; i++) {
		offset[i] = ask->elems[i].offset;
		e = ask->elems[i].err;
	}
	rd_kafka_topic_partition_list_destroy(ask);
	return e;
}

rd_kafka_resp_err_t
kafka_bounds(struct kafka *k, const rd_kafka_topic_partition_list_t *l, int64_t *low, int64_t *high, int ms)
{
	rd_kafka_resp_err_t e;

	if (l->cnt == 0)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	e = kafka_offsets_at(k, l, RD_KAFKA_OFFSET_BEGINNING, low, ms);
	if (!e)
		e = kafka_offsets_at(k, l, RD_KAFKA_OFFSET_END, high, ms);
	for (int i = 0; !e && i < l->cnt; i++)
		if (low[i] < 0 || high[i] < 0)  /* an answer left it out */
			e = RD_KAFKA_RESP_ERR__BAD_MSG;
	if (e)
		learn(k, ms);
	return e;
}

rd_kafka_resp_err_t
kafka_bounds_of(struct kafka *k, const char *topic, int32_t id, int64_t *low, int64_t *high, int ms)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t e;

	rd_kafka_topic_partition_list_add(l, topic, id);
	e = kafka_bounds(k, l, low, high, ms);
	rd_kafka_topic_partition_list_destroy(l);
	return e;
}

int
kafka_partitions(struct kafka *k, const char *topic, int ms)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_topic_t *t = rd_kafka_topic_new(k->rk, topic, NULL);
	int n = 0;

	if (!t)
		return 0;
	if (rd_kafka_metadata(k->rk, 0, t, &md, ms)) {
		rd_kafka_topic_destroy(t);
		return -1;
	}
	if (md->topic_cnt == 1 && md->topics[0].err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		n = -1;
	else if (md->topic_cnt == 1 && !md->topics[0].err)
		n = md->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(t);
	return n;
}
