/* Where each partition is read from, and up to where. */
#include <inttypes.h>
#include <string.h>

#include "err.h"
#include "kafka-part.h"

enum { ASK_MS = 3000 };

/* The offset of the first message of that time or later, or the end. */
static rd_kafka_resp_err_t
at_time(struct kafka_in *in, const char *topic, int32_t id, int64_t ts, int64_t high, int64_t *offset)
{
	rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t e;

	rd_kafka_topic_partition_list_add(l, topic, id);
	e = kafka_offsets_at(&in->k, l, ts, offset, ASK_MS);
	if (!e && *offset < 0)
		*offset = high;
	rd_kafka_topic_partition_list_destroy(l);
	return e;
}

/* Where to start in a partition that holds low..high. */
static rd_kafka_resp_err_t
place(struct kafka_in *in, rd_kafka_topic_partition_t *p, int64_t low, int64_t high)
{
	int64_t want = p->offset;
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (want < 0 && kafka_group_had(in, p->topic, p->partition, low, high))
		want = low;
	else if (want < 0 && in->o.start_time)
		e = at_time(in, p->topic, p->partition, in->o.start, high, &want);
	else if (want < 0)
		want = in->o.start == KAFKA_BEGINNING ? low : in->o.start == KAFKA_END ? high : in->o.start;
	if (!e && (want < low || want > high)) {
		warn("position %" PRId64 " of %s[%" PRId32 "] is outside what it holds, %" PRId64
		    " to %" PRId64 ": starting at %" PRId64, want, p->topic, p->partition, low, high, low);
		want = low;
	}
	p->offset = want;
	return e;
}

static int
again(struct kafka_in *in, rd_kafka_resp_err_t e)
{
	if (e == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	    e == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		kafka_waits(&in->k.state, "positions of %s: there is no such topic or partition", in->o.topics);
	else if (e)
		kafka_waits(&in->k.state, "positions of %s: %s", in->o.topics, rd_kafka_err2str(e));
	return e ? -1 : 0;
}

int
kafka_start(struct kafka_in *in, rd_kafka_topic_partition_list_t *l, int64_t *low, int64_t *high)
{
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int i = 0; i < l->cnt; i++)
		l->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
	if (in->o.group && l->cnt)
		e = rd_kafka_committed(in->k.rk, l, ASK_MS);
	for (int i = 0; !e && i < l->cnt; i++)
		e = l->elems[i].err;
	if (!e)
		e = kafka_bounds(&in->k, l, low, high, ASK_MS);
	for (int i = 0; !e && i < l->cnt; i++)
		e = place(in, &l->elems[i], low[i], high[i]);
	return again(in, e);
}

int
kafka_until(struct kafka_in *in, const char *topic, int32_t id, int64_t high, int64_t *until)
{
	rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;

	*until = INT64_MAX;
	if (in->o.until_time)
		e = at_time(in, topic, id, in->o.until, high, until);
	else if (in->o.until > 0)
		*until = in->o.until;
	return again(in, e);
}
