/* Which partition a message goes to, where the line does not say. */
#include <string.h>

#include "kafka-producer.h"

/* A class's partitions, [*first, *first + returned): High has the first ones,
 * Low the last, and each has one at least while there are enough. */
static uint32_t
class_of(const struct kafka_out *o, char priority, uint32_t n, uint32_t *first)
{
	uint32_t high = n * o->o.share[0] / 100, low = n * o->o.share[2] / 100;

	*first = 0;
	if (n == 1)
		return 1;
	high = high ? high : 1;
	if (n == 2) {
		*first = priority != 'H';
		return 1;
	}
	low = low ? low : 1;
	while (high + low >= n)         /* Medium has one too */
		*(high >= low ? &high : &low) -= 1;
	if (priority == 'H')
		return high;
	*first = priority == 'L' ? n - low : high;
	return priority == 'L' ? low : n - high - low;
}

static uint32_t
of_key(const struct kafka_msg *m, uint32_t n)
{
	return (uint32_t)rd_kafka_msg_partitioner_murmur2(NULL, m->key, m->key_len, (int32_t)n, NULL, NULL);
}

int32_t
kafka_choose(struct kafka_out *o, const struct kafka_post *p)
{
	struct known *k;
	uint32_t n, first;

	if (p->msg.partition >= 0)
		return p->msg.partition;
	if (o->o.spread == KAFKA_BY_KEY || !(k = kafka_known(o, p->msg.topic)) || !k->partitions)
		return RD_KAFKA_PARTITION_UA;   /* librdkafka's murmur2_random */
	n = (uint32_t)k->partitions;
	switch (o->o.spread) {
	case KAFKA_ROUND_ROBIN:
		return (int32_t)(k->turn++ % n);
	case KAFKA_STICKY:
		return (int32_t)(o->batch % n);
	case KAFKA_BY_PRIORITY:
		n = class_of(o, p->priority, n, &first);
		return (int32_t)(first + (p->msg.key ? of_key(&p->msg, n) : k->turn++ % n));
	case KAFKA_BY_KEY:
		break;
	}
	return RD_KAFKA_PARTITION_UA;
}
