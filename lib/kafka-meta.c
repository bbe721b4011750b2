/* Questions about the cluster, asked of whichever broker answers. */
#include "kafka-rd.h"

bool
kafka_answers(struct kafka *k, int ms)
{
	const struct rd_kafka_metadata *md;

	if (rd_kafka_metadata(k->rk, 0, NULL, &md, ms))
		return false;
	rd_kafka_metadata_destroy(md);
	k->down = false;
	return true;
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
