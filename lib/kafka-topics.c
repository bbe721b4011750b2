/* Which topics are there: asked before a message is sent, since librdkafka
 * would take its time to fail it, and a transaction has little. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka-producer.h"

enum {
	ASK_MS = 1000,
	MISSING_MS = 2000,              /* so long a topic must be missing to count as that */
	LOOK_AGAIN_MS = 200,
	REMEMBER_THERE_MS = 60000, REMEMBER_MISSING_MS = 10000,
	KNOWN_MAX = 4096
};

struct known *
kafka_known(struct kafka_out *o, const char *topic)
{
	for (size_t i = 0; i < o->n_known; i++)
		if (strcmp(o->known[i].name, topic) == 0)
			return &o->known[i];
	return NULL;
}

static struct known *
known_or_new(struct kafka_out *o, const char *topic)
{
	struct known *k = kafka_known(o, topic);

	if (k)
		return k;
	o->known = mem_array(o->known, o->n_known + 1, sizeof(*o->known));
	k = &o->known[o->n_known++];
	memset(k, 0, sizeof(*k));
	snprintf(k->name, sizeof(k->name), "%s", topic);
	return k;
}

/* What is known of a topic, asked for where that is old. Waits for a broker. */
static enum there
there(struct kafka_out *o, const char *topic)
{
	struct known *k = known_or_new(o, topic);
	int64_t now = now_ms();
	int n;

	if (now < k->until_ms)
		return k->there;
	while ((n = kafka_partitions(&o->k, topic, ASK_MS)) < 0) {
		rd_kafka_poll(o->k.rk, 0);      /* what on_error has to say */
		if (o->k.fatal)
			return THERE;
		if (!o->k.down)
			kafka_waits_broker(&o->k);
		k->missing_ms = 0;
	}
	now = now_ms();
	kafka_ready(&o->k.state);
	if (n > 0) {
		k->partitions = n;
		k->missing_ms = 0;
		k->until_ms = now + REMEMBER_THERE_MS;
		return k->there = THERE;
	}
	if (!k->missing_ms)
		k->missing_ms = now;
	k->there = now - k->missing_ms >= MISSING_MS ? MISSING : UNSURE;
	k->until_ms = now + (k->there == MISSING ? REMEMBER_MISSING_MS : LOOK_AGAIN_MS - 1);
	return k->there;
}

/* One look at all of them; false when some topic is missing not long enough. */
static bool
look(struct kafka_out *o, struct kafka_post *p, size_t n)
{
	bool sure = true;

	for (size_t i = 0; i < n; i++) {
		enum there t;

		if (p[i].sent || p[i].refused)
			continue;
		while ((t = there(o, p[i].msg.topic)) == MISSING && kafka_post_divert(&p[i], "missing"))
			o->diverted++;
		if (t == MISSING) {
			p[i].refused = true;
			snprintf(p[i].why, sizeof(p[i].why), "there is no topic %s", p[i].msg.topic);
		}
		sure &= t != UNSURE;
	}
	return sure;
}

void
kafka_out_check(struct kafka_out *o, struct kafka_post *p, size_t n)
{
	if (o->n_known > KNOWN_MAX)
		o->n_known = 0;
	/* A failed one is asked about again, whatever is remembered. */
	for (size_t i = 0; i < n; i++) {
		struct known *k = p[i].failed ? kafka_known(o, p[i].msg.topic) : NULL;

		if (k)
			k->until_ms = 0;
	}
	while (!look(o, p, n))
		usleep(LOOK_AGAIN_MS * 1000);
}
