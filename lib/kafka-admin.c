#include "kafka-admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kafka-rd.h"

struct kafka_admin {
	struct kafka k;
	rd_kafka_queue_t *q;
};

static const struct kafka_prop NONE[] = { { NULL, NULL } };

int
kafka_admin_open(struct kafka_admin **out, char *err, size_t size)
{
	struct kafka_admin *a = mem_zalloc(sizeof(*a));
	int st = kafka_open(&a->k, RD_KAFKA_PRODUCER, NONE, NONE, NULL, &a->k);

	if (st < 0) {
		snprintf(err, size, "%s", a->k.err);
		free(a);
		return st;
	}
	a->q = rd_kafka_queue_new(a->k.rk);
	*out = a;
	return 0;
}

static int
configure(rd_kafka_NewTopic_t *t, char *const *settings, size_t n, char *err, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(settings[i], '=');
		char name[128];

		if (!eq || (size_t)(eq - settings[i]) >= sizeof(name)) {
			snprintf(err, size, "%s is no NAME=VALUE", settings[i]);
			return -1;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(eq - settings[i]), settings[i]);
		if (rd_kafka_NewTopic_set_config(t, name, eq + 1)) {
			snprintf(err, size, "%s is no setting", settings[i]);
			return -1;
		}
	}
	return 0;
}

static enum kafka_made
result(struct kafka_admin *a, rd_kafka_event_t *ev, char *err, size_t size)
{
	const rd_kafka_topic_result_t **r;
	rd_kafka_resp_err_t e = ev ? rd_kafka_event_error(ev) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	const char *why = ev ? rd_kafka_event_error_string(ev) : "no answer in time";
	size_t n = 0;

	if (!e) {
		r = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
		e = n ? rd_kafka_topic_result_error(r[0]) : RD_KAFKA_RESP_ERR__FAIL;
		why = n ? rd_kafka_topic_result_error_string(r[0]) : "an empty answer";
	}
	if (!e)
		return KAFKA_MADE;
	if (e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return KAFKA_WAS_THERE;
	snprintf(err, size, "%s: %s", rd_kafka_err2name(e), why ? why : "");
	switch (e) {
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
		snprintf(err, size, "no broker answers at %s: %s", a->k.servers, why ? why : "");
		return KAFKA_NO_ANSWER;
	default:
		return KAFKA_NOT_MADE;
	}
}

/* A controller says "made" a little before brokers know the topic: waits
 * until it can be used, so that nobody else has to. */
static bool
usable(struct kafka_admin *a, const char *name, int partitions, int wait_ms)
{
	const struct timespec pause = { 0, 20000000 };

	for (; kafka_partitions(&a->k, name, 1000) < partitions; wait_ms -= 20) {
		if (wait_ms <= 0)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

enum kafka_made
kafka_topic(struct kafka_admin *a, const char *name, int partitions, int replicas,
    char *const *settings, size_t n, int wait_ms, char *err, size_t size)
{
	char why[256];
	rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(name, partitions, replicas, why, sizeof(why));
	rd_kafka_AdminOptions_t *o;
	rd_kafka_event_t *ev;
	enum kafka_made made;

	if (!t) {
		snprintf(err, size, "%s", why);
		return KAFKA_NOT_MADE;
	}
	if (configure(t, settings, n, err, size) < 0) {
		rd_kafka_NewTopic_destroy(t);
		return KAFKA_NOT_MADE;
	}
	o = rd_kafka_AdminOptions_new(a->k.rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	if (rd_kafka_AdminOptions_set_request_timeout(o, wait_ms, why, sizeof(why)) ||
	    rd_kafka_AdminOptions_set_operation_timeout(o, wait_ms, why, sizeof(why))) {
		snprintf(err, size, "%s", why);
		made = KAFKA_NOT_MADE;
	} else {
		rd_kafka_CreateTopics(a->k.rk, &t, 1, o, a->q);
		ev = rd_kafka_queue_poll(a->q, wait_ms + 1000);
		made = result(a, ev, err, size);
		if (ev)
			rd_kafka_event_destroy(ev);
	}
	rd_kafka_AdminOptions_destroy(o);
	rd_kafka_NewTopic_destroy(t);
	if (made == KAFKA_MADE && !usable(a, name, partitions, wait_ms)) {
		snprintf(err, size, "%s was made and no broker knows it yet", name);
		made = KAFKA_NO_ANSWER;
	}
	return made;
}

void
kafka_admin_close(struct kafka_admin *a)
{
	rd_kafka_queue_destroy(a->q);
	rd_kafka_destroy(a->k.rk);
	free(a);
}
