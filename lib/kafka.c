#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arg.h"
#include "err.h"
#include "kafka-rd.h"

void
kafka_waits_broker(struct kafka *k)
{
	kafka_waits(&k->state, "no broker answers at %s%s%s", k->servers, k->last[0] ? ": " : "",
	    k->last);
}

static void
on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
	const struct kafka *k = rd_kafka_opaque(rk);

	/* FAIL and ERROR repeat what on_error gets; CONFWARN says that a producer's
	 * property does nothing for a consumer, and one file serves both. */
	if (strcmp(fac, "FAIL") == 0 || strcmp(fac, "ERROR") == 0 || strcmp(fac, "CONFWARN") == 0)
		return;
	if (level <= 4)
		warn("kafka: %s: %s", fac, text);
	else if (level == 5 || k->debug)
		info("kafka: %s: %s", fac, text);
}

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct kafka *k = opaque;

	switch (err) {
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		k->down = true;
		kafka_waits_broker(k);
		return;
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
		snprintf(k->last, sizeof(k->last), "%s", reason);
		return;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
		snprintf(k->last, sizeof(k->last), "%s", reason);
		k->down = true;
		kafka_waits(&k->state, "%s does not let us in: %s", k->servers, reason);
		return;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		k->suspect = true;
		return;
	case RD_KAFKA_RESP_ERR__FATAL:
		k->fatal = rd_kafka_fatal_error(rk, k->err, sizeof(k->err));
		return;
	default:
		warn("kafka: %s: %s", rd_kafka_err2name(err), reason);
	}
}

static int
set(struct kafka *k, rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	snprintf(k->err, sizeof(k->err), "%s", why);
	return -1;
}

static int
set_all(struct kafka *k, rd_kafka_conf_t *conf, const struct kafka_prop *p)
{
	for (; p->name; p++)
		if (set(k, conf, p->name, p->value) < 0)
			return -1;
	return 0;
}

static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int
set_line(struct kafka *k, rd_kafka_conf_t *conf, const struct kafka_prop *fixed, char *line)
{
	char *name = trim(line), *value = strchr(name, '=');

	if (!*name || *name == '#')
		return 0;
	if (!value) {
		snprintf(k->err, sizeof(k->err), "no '=' in the line");
		return -1;
	}
	*value++ = '\0';
	name = trim(name);
	value = trim(value);
	for (; fixed->name; fixed++)
		if (strcmp(fixed->name, name) == 0) {
			snprintf(k->err, sizeof(k->err), "%s is set by the program", name);
			return -1;
		}
	if (strcmp(name, "bootstrap.servers") == 0)
		snprintf(k->file_servers, sizeof(k->file_servers), "%s", value);
	if (strcmp(name, "debug") == 0)
		k->debug = true;
	return set(k, conf, name, value);
}

static int
set_file(struct kafka *k, rd_kafka_conf_t *conf, const struct kafka_prop *fixed, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, why[sizeof(k->err)];
	size_t cap = 0, n = 0;
	int ret = 0;

	if (!f) {
		snprintf(k->err, sizeof(k->err), "SLUICE_KAFKA_CONF: %s: %s", path, strerror(errno));
		return -1;
	}
	while (ret == 0 && getline(&line, &cap, f) >= 0) {
		n++;
		ret = set_line(k, conf, fixed, line);
	}
	if (ret < 0) {
		memcpy(why, k->err, sizeof(why));
		snprintf(k->err, sizeof(k->err), "%.200s: line %zu: %.250s", path, n, why);
	} else if (ferror(f)) {
		snprintf(k->err, sizeof(k->err), "read %s: %s", path, strerror(errno));
		ret = -1;
	}
	free(line);
	fclose(f);
	return ret;
}

static const struct kafka_prop COMMON[] = {
	{ "client.id", "sluice" },
	{ "message.max.bytes", "25000000" },
	{ "topic.metadata.refresh.interval.ms", "10000" },
	{ "reconnect.backoff.ms", "100" },
	{ "reconnect.backoff.max.ms", "2000" },
	{ "log.connection.close", "false" },
	{ NULL, NULL }
};

static int
set_servers(struct kafka *k, rd_kafka_conf_t *conf)
{
	k->servers = arg_env("SLUICE_KAFKA", k->file_servers);
	if (!k->servers[0]) {
		snprintf(k->err, sizeof(k->err), "SLUICE_KAFKA is not set: it names the brokers, HOST:PORT[,...]");
		return -1;
	}
	return set(k, conf, "bootstrap.servers", k->servers);
}

int
kafka_open(struct kafka *k, rd_kafka_type_t type, const struct kafka_prop *defaults,
    const struct kafka_prop *fixed, void (*tune)(rd_kafka_conf_t *), void *opaque)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const char *file = arg_env("SLUICE_KAFKA_CONF", "");
	int r = -1;

	rd_kafka_conf_set_opaque(conf, opaque);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	if (tune)
		tune(conf);
	if (set_all(k, conf, COMMON) == 0 && set_all(k, conf, defaults) == 0 &&
	    (!*file || set_file(k, conf, fixed, file) == 0) && set_servers(k, conf) == 0 &&
	    set_all(k, conf, fixed) == 0 && set(k, conf, "log.queue", "true") == 0) {
		errno = EINVAL;
		k->rk = rd_kafka_new(type, conf, k->err, sizeof(k->err));
		if (k->rk) {
			rd_kafka_set_log_queue(k->rk, NULL);
			return 0;
		}
		r = errno == EINVAL ? -1 : -2;
	}
	rd_kafka_conf_destroy(conf);
	return r;
}
