/* rewind - set where a consumer group goes on. See docs/rewind.1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "kafka-rewind.h"
#include "ndjson.h"

static const char usage[] =
    "rewind -g group [-t topic]... [-T seconds] <FILE\n"
    "\n"
    "Sets where a consumer group goes on: each line of stdin is TOPIC PARTITION OFFSET,\n"
    "the next record to read. The group must have no members.\n"
    "\n"
    "  -g  the group\n"
    "  -t  partitions of this topic that no line names go on at their first record\n"
    "  -T  how long to wait for a broker and for members to go, in seconds (default 60)\n";

enum { TOPICS = 16, SEEN = 4096 };

struct place {
	char *topic;
	int32_t partition;
};

static struct place *seen;
static size_t n_seen;

static void
add(struct kafka_rewind *r, const char *topic, int32_t partition, int64_t offset)
{
	int64_t asked = offset;
	char err[512];
	int st = kafka_rewind_add(r, topic, partition, &offset, err, sizeof(err));

	if (st < 0)
		die(XTEMP, "topic %s partition %" PRId32 ": %s", topic, partition, err);
	if (st == 1 && asked)
		warn("topic %s partition %" PRId32 " begins at %" PRId64 ", %" PRId64 " is gone", topic, partition,
		    offset, asked);
}

static void
line(struct kafka_rewind *r, char *text, uint64_t n)
{
	char *save, *topic = strtok_r(text, " \t\r", &save), *part = strtok_r(NULL, " \t\r", &save);
	char *offset = strtok_r(NULL, " \t\r", &save);
	int32_t p;

	if (!topic)
		return;
	if (!part || !offset || strtok_r(NULL, " \t\r", &save))
		die(XPERM, "line %" PRIu64 ": not TOPIC PARTITION OFFSET", n);
	if (n_seen == SEEN)
		die(XPERM, "more than %d lines", SEEN);
	p = (int32_t)arg_ulong("PARTITION", part, 0, INT32_MAX);
	seen[n_seen++] = (struct place){ mem_dup(topic, strlen(topic) + 1), p };
	add(r, topic, p, (int64_t)arg_ulong("OFFSET", offset, 0, INT64_MAX));
}

static bool
named(const char *topic, int32_t partition)
{
	for (size_t i = 0; i < n_seen; i++)
		if (seen[i].partition == partition && !strcmp(seen[i].topic, topic))
			return true;
	return false;
}

static void
rest(struct kafka_rewind *r, const char *topic)
{
	int n = kafka_rewind_partitions(r, topic);

	if (n < 0)
		die(XTEMP, "topic %s: no broker answers", topic);
	for (int p = 0; p < n; p++)
		if (!named(topic, p))
			add(r, topic, p, 0);
}

/* A member that ended without a word is one until its session has run out. */
static int
commit(struct kafka_rewind *r, const char *group, unsigned long wait_s)
{
	char err[512];
	int st;

	for (unsigned long s = 0;; s++) {
		st = kafka_rewind_commit(r, 5000, err, sizeof(err));
		if (st == 0)
			return 0;
		if (st < 0 || s >= wait_s)
			die(st < 0 ? XPERM : XTEMP, "group %s: %s", group, err);
		if (s == 2)
			info("group %s: waiting: %s", group, err);
		sleep(1);
	}
}

int
main(int argc, char **argv)
{
	static struct in in = IN_INIT(0, 1 << 16, NULL);
	const char *group = NULL, *topics[TOPICS], *rec;
	unsigned long wait_s = 60;
	struct kafka_rewind *r;
	size_t n_topics = 0, len;
	enum in_status st;
	char err[512];
	uint64_t n = 0;
	int c;

	err_init("rewind");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+g:t:T:")) != -1)
		switch (c) {
		case 'g': group = optarg; break;
		case 't':
			if (n_topics == TOPICS)
				die(XPERM, "more than %d topics", TOPICS);
			topics[n_topics++] = optarg;
			break;
		case 'T': wait_s = arg_ulong("-T", optarg, 1, 3600); break;
		default: die_usage(usage);
		}
	if (argv[optind] || !group)
		die_usage(usage);
	if ((c = kafka_rewind_open(&r, group, err, sizeof(err))) < 0)
		die(c == -2 ? XTEMP : XPERM, "%s", err);
	seen = mem_zalloc(SEEN * sizeof(*seen));
	while ((st = in_rec(&in, &rec, &len)) == IN_REC) {
		char *text = mem_dup(rec, len);

		line(r, text, ++n);
		free(text);
	}
	if (st != IN_EOF)
		die(XTEMP, "the list ends badly after line %" PRIu64, n);
	for (size_t i = 0; i < n_topics; i++)
		rest(r, topics[i]);
	c = commit(r, group, wait_s);
	info("done: group=%s lines=%" PRIu64, group, n);
	for (size_t i = 0; i < n_seen; i++)
		free(seen[i].topic);
	free(seen);
	kafka_rewind_close(r);
	return c;
}
