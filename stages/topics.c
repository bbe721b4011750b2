/* topics - make Kafka topics that are not there yet. See docs/topics.1. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "kafka-admin.h"
#include "ndjson.h"

static const char usage[] =
    "topics [-q] [-r replicas] [-T seconds] <FILE\n"
    "\n"
    "Makes the Kafka topics that stdin names and that are not there yet, one a\n"
    "line: NAME PARTITIONS [SETTING=VALUE ...]; '#' starts a comment line. A topic\n"
    "that is there stays as it is.\n"
    "\n"
    "  -q  say nothing about topics that were made or were there\n"
    "  -r  replicas of each partition (default: the broker's)\n"
    "  -T  how long to wait for a broker, in seconds (default 30)\n";

enum { WORDS = 32 };

struct opts {
	bool quiet;
	int replicas;
	int wait_ms;
};

static void
make_topic(struct kafka_admin *a, const struct opts *o, char *line, uint64_t n)
{
	char *word[WORDS + 1], *save, err[512];
	size_t words = 0;
	unsigned long parts;

	for (char *w = strtok_r(line, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (words == WORDS)
			die(XPERM, "line %" PRIu64 ": more than %d words", n, WORDS);
		word[words++] = w;
	}
	if (words == 0 || word[0][0] == '#')
		return;
	if (words < 2)
		die(XPERM, "line %" PRIu64 ": %s has no number of partitions", n, word[0]);
	parts = arg_ulong(word[0], word[1], 1, 100000);
	switch (kafka_topic(a, word[0], (int)parts, o->replicas, word + 2, words - 2, o->wait_ms,
	    err, sizeof(err))) {
	case KAFKA_MADE:
		if (!o->quiet)
			info("made: topic=%s partitions=%lu", word[0], parts);
		return;
	case KAFKA_WAS_THERE:
		if (!o->quiet)
			info("was there: topic=%s", word[0]);
		return;
	case KAFKA_NO_ANSWER:
		die(XTEMP, "topic %s: %s", word[0], err);
	case KAFKA_NOT_MADE:
		die(XPERM, "topic %s: %s", word[0], err);
	}
}

int
main(int argc, char **argv)
{
	static struct in in = IN_INIT(0, 1 << 16, NULL);
	struct opts o = { .replicas = -1, .wait_ms = 30000 };
	struct kafka_admin *a;
	enum in_status st;
	const char *rec;
	char *line, err[512];
	uint64_t n = 0;
	size_t len;
	int c;

	err_init("topics");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+qr:T:")) != -1)
		switch (c) {
		case 'q': o.quiet = true; break;
		case 'r': o.replicas = (int)arg_ulong("-r", optarg, 1, 100); break;
		case 'T': o.wait_ms = 1000 * (int)arg_ulong("-T", optarg, 1, 3600); break;
		default: die_usage(usage);
		}
	if (argv[optind])
		die_usage(usage);
	if ((c = kafka_admin_open(&a, err, sizeof(err))) < 0)
		die(c == -2 ? XTEMP : XPERM, "%s", err);
	while ((st = in_rec(&in, &rec, &len)) == IN_REC) {
		line = mem_dup(rec, len);
		make_topic(a, &o, line, ++n);
		free(line);
	}
	if (st != IN_EOF)
		die(XTEMP, "the list of topics ends badly after line %" PRIu64, n);
	kafka_admin_close(a);
	return 0;
}
