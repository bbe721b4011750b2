/* What a reader does besides reading: join, commit, stay a member. */
#include <stdio.h>

#include "err.h"
#include "kafka-part.h"
#include "metrics.h"

enum {
	COMMIT_EVERY_MS = 500, STALL_MS = 1000, TRY_EVERY_MS = 500, TRY_MS = 200,
	ANSWER_MS = 1000,       /* a broker that takes longer each time counts as none */
	PATIENCE_MS = 3000,     /* before a broker that has not answered yet is worth a word */
	JOIN_MS = 10000         /* more than the session of a member that died */
};

/* Nothing is taken: the window is full, or the end is near. The group must
 * still hear from us, so callbacks are served with the partitions paused. Only
 * then: a pause throws away what was fetched. */
static void
serve_stalled(struct kafka_in *in)
{
	rd_kafka_topic_partition_list_t *l;

	if (in->held)
		return;
	if (!in->paused && in->n) {
		l = kafka_part_list(in);
		rd_kafka_pause_partitions(in->k.rk, l);
		rd_kafka_topic_partition_list_destroy(l);
		in->paused = true;
	}
	in->held = kafka_in_poll(in);
}

static void
reach(struct kafka_in *in)
{
	char *id;

	if (!in->started) {
		/* Asked for by itself only after a second. */
		id = kafka_answers(&in->k, TRY_MS) ? rd_kafka_clusterid(in->k.rk, TRY_MS) : NULL;
		if (!id) {
			if (now_ms() - in->opened_ms >= PATIENCE_MS)
				kafka_waits_broker(&in->k);
			return;
		}
		snprintf(in->cluster, sizeof(in->cluster), "%s", id);
		rd_kafka_mem_free(in->k.rk, id);
		in->k.down = false;
		in->started = kafka_group_start(in) == 0;
	}
	if (in->pending)
		kafka_group_resolve(in);
	if (in->missing || in->k.suspect)
		kafka_group_missing(in);
	if (in->lost)
		kafka_group_look(in);
	if (in->k.down && kafka_answers(&in->k, ANSWER_MS) && in->assigned)
		kafka_ready(&in->k.state);
}

/* A group's coordinator that is silent is no broker that is down. */
static void
joining(struct kafka_in *in, int64_t now)
{
	if (in->started && in->o.group && !in->assigned && !in->pending && !in->k.state.why[0] &&
	    now - in->left_ms >= JOIN_MS)
		kafka_waits(&in->k.state, "the group %s gives us no partitions: its coordinator or another member is silent",
		    in->o.group);
}

int
kafka_in_tick(struct kafka_in *in, int *wait_ms)
{
	static uint64_t *lag;
	int64_t now = now_ms();
	bool first = !in->started && now - in->opened_ms < PATIENCE_MS;

	if (!lag)
		lag = metrics_value("consumer_lag");

	if (!in->started || in->pending || in->k.down || in->missing || in->lost ||
	    in->k.suspect) {
		if (first || now - in->tried_ms >= TRY_EVERY_MS) {
			reach(in);
			in->tried_ms = now_ms();
		}
		if (first)
			*wait_ms = 20;
	}
	joining(in, now);
	if (now - in->polled_ms >= STALL_MS)
		serve_stalled(in);
	if (now - in->committed_ms >= COMMIT_EVERY_MS) {
		kafka_part_commit(in, 0);
		in->committed_ms = now;
		*lag = (uint64_t)kafka_in_lag(in);
	}
	if (*wait_ms > COMMIT_EVERY_MS)
		*wait_ms = COMMIT_EVERY_MS;
	return in->k.fatal ? -1 : 0;
}

int kafka_in_fd(const struct kafka_in *in) { return in->fd; }
bool kafka_in_ready(const struct kafka_in *in) { return in->k.state.said && !in->k.state.why[0]; }
const char *kafka_in_why(const struct kafka_in *in) { return in->k.err; }
const char *kafka_in_cluster(const struct kafka_in *in) { return in->cluster; }

bool
kafka_in_ended(const struct kafka_in *in)
{
	if (!in->assigned || (!in->o.until_end && in->o.until == 0))
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (!in->part[i]->ended && !(in->o.until_end && in->part[i]->at_end))
			return false;
	return true;
}

int64_t
kafka_in_lag(const struct kafka_in *in)
{
	int64_t low, high, sum = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct part *p = in->part[i];

		/* At the end only markers of transactions can follow. */
		if (p->at_end && mark_pending(&p->mark) == 0)
			continue;
		if (rd_kafka_get_watermark_offsets(in->k.rk, p->topic, p->id, &low, &high) == 0 &&
		    high > p->mark.value)
			sum += high - p->mark.value;
	}
	return sum;
}
