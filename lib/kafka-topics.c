/* Which topics are there: asked before a message is sent, since librdkafka
 * would take its time to fail it, and a transaction has little. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kafka-producer.h"

enum { ASK_MS = 1000, MISSING_MS = 2000, REMEMBER_THERE_MS = 60000, REMEMBER_MISSING_MS = 10000 };

static struct known *
find(struct kafka_out *o, const char *topic)
{
	for (size_t i = 0; i < o->n_known; i++)
		if (strcmp(o->known[i].name, topic) == 0)
			return &o->known[i];
	return NULL;
}

static struct known *
add(struct kafka_out *o, const char *topic)
{
	size_t cap = sizeof(o->known) / sizeof(o->known[0]);
	struct known *k = &o->known[o->next_known];

	o->next_known = (o->next_known + 1) % cap;
	if (o->n_known < cap)
		o->n_known++;
	memset(k, 0, sizeof(*k));
	snprintf(k->name, sizeof(k->name), "%s", topic);
	return k;
}

static bool
there(struct kafka_out *o, const char *topic)
{
	struct known *k = find(o, topic);
	uint64_t missing_since = 0, now = kafka_now_ms();
	int n;

	if (k && now < k->until_ms)
		return k->there;
	for (;;) {
		n = kafka_partitions(&o->k, topic, ASK_MS);
		now = kafka_now_ms();
		if (n > 0)
			break;
		rd_kafka_poll(o->k.rk, 0);      /* what on_error has to say */
		if (n < 0) {
			missing_since = 0;
			if (!o->k.down && !o->k.fatal)
				kafka_waits_broker(&o->k);
			if (o->k.fatal)
				return true;
			continue;
		}
		if (!missing_since)
			missing_since = now;
		else if (now - missing_since >= MISSING_MS)
			break;
		usleep(200 * 1000);
	}
	kafka_ready(&o->k.state);
	if (!k)
		k = add(o, topic);
	k->there = n > 0;
	k->until_ms = now + (n > 0 ? REMEMBER_THERE_MS : REMEMBER_MISSING_MS);
	return k->there;
}

void
kafka_out_check(struct kafka_out *o, struct kafka_post *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* A failed one is asked about again, whatever is remembered. */
		if (p[i].failed) {
			struct known *k = find(o, p[i].msg.topic);

			if (k)
				k->until_ms = 0;
		}
		if (p[i].sent || p[i].refused || there(o, p[i].msg.topic))
			continue;
		p[i].refused = true;
		snprintf(p[i].why, sizeof(p[i].why), "there is no topic %s", p[i].msg.topic);
	}
}
