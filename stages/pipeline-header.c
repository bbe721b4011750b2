/* pipeline-header - what a pipeline's header asks for. See docs/pipeline-header.1. */
#include <fcntl.h>
#include <libgen.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "header.h"
#include "mem.h"

static const char usage[] =
    "pipeline-header [-l] FILE | -e FOLDER | -t FOLDER\n"
    "\n"
    "Prints the options of from-ledger that a pipeline's header asks for.\n"
    "\n"
    "  -l  the header's lines instead, \"KEY VALUE\", unchecked\n"
    "  -t  the topics of requests that headers of a folder name as their own\n"
    "  -e  the topics to which they send events\n";

#define NAME(max) "[A-Za-z0-9._-]{1," max "}"
#define PART "(\\.[0-9]{1,9})?"
enum { DAY = 86400 };

static const char *file_name;
static struct buf options = BUF_INIT;

static void __attribute__((noreturn, format(printf, 2, 3)))
refuse(unsigned n, const char *fmt, ...)
{
	struct buf why = BUF_INIT;
	va_list ap;
	char text[1024];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_addf(&why, "%s: line %u: %s", file_name, n, text);
	die(XPERM, "%s", buf_str(&why));
}

static bool
fits(const char *value, const char *pattern)
{
	regex_t re;
	bool yes;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		die(XBUG, "pattern %s", pattern);
	yes = regexec(&re, value, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static void
check_topic(unsigned n, const char *value)
{
	if (!fits(value, "^" NAME("249") "$"))
		refuse(n, "topic: no name for a topic: %s", value);
}

struct wanted {
	const char *topic;
	bool found;
};

static void
look_for(void *arg, const char *pipeline, unsigned n, char *key, char *value)
{
	struct wanted *w = arg;

	(void)pipeline;
	(void)n;
	if (!strcmp(key, "topic") && !strcmp(header_word(value), w->topic))
		w->found = true;
}

/* Requests of a pipeline beside this one come from the topic. All of mappings is told on
 * one, so that may be several pipelines'. */
static bool
asked_for(const char *topic)
{
	struct wanted w = { topic, false };
	char *copy;

	if (!strcmp(topic, "mapping.events.v1"))
		return false;
	copy = mem_dup(file_name, strlen(file_name));
	(void)header_each(dirname(copy), look_for, &w);
	free(copy);
	return w.found;
}

static void
check_event(unsigned n, const char *value)
{
	char *topic;

	if (!fits(value, "^" NAME("249") "( " NAME("64") ")?$"))
		refuse(n, "event: a topic and a stage's name are needed: %s", value);
	topic = mem_dup(value, strcspn(value, " "));
	if (!header_event(topic) || asked_for(topic))
		refuse(n, "event: other messages travel on this topic: %s", value);
	free(topic);
}

static void
check_backoff(unsigned n, const char *value)
{
	char *end;
	double v;

	if (!fits(value, "^[0-9]{1,5}" PART " [1-9][0-9]{0,2}" PART " [0-9]{1,5}" PART "$"))
		refuse(n, "backoff: three numbers are needed, FIRST FACTOR CAP: %s", value);
	for (const char *p = value; *p; p = end + strspn(end, " ")) {
		v = strtod(p, &end);
		if (v > DAY)
			refuse(n, "backoff: numbers up to %d are needed: %s", DAY, value);
	}
}

static struct key {
	const char *name;
	char option;            /* of from-ledger; 0: none */
	unsigned long lo, hi;   /* a whole number, where there is no check */
	void (*check)(unsigned, const char *);
	bool seen;
} keys[] = {
	{ "topic", 0, 0, 0, check_topic, false },
	{ "event", 'e', 0, 0, check_event, false },
	{ "retries", 'r', 0, 100, NULL, false },
	{ "backoff", 'b', 0, 0, check_backoff, false },
	{ "deadline", 't', 1, DAY, NULL, false },
	{ "job-deadline", 'j', 1, 366 * DAY, NULL, false },
	{ "window", 'w', 1, 10000, NULL, false },
	{ "limit", 'l', 1, 1000000, NULL, false },
};

static void
check_number(const struct key *k, unsigned n, const char *value)
{
	unsigned long v = strtoul(value, NULL, 10);

	if (!fits(value, "^(0|[1-9][0-9]{0,8})$") || v < k->lo || v > k->hi)
		refuse(n, "%s: a whole number from %lu to %lu is needed: %s", k->name, k->lo, k->hi, value);
}

static void
take(void *arg, const char *pipeline, unsigned n, char *key, char *value)
{
	struct key *k = keys, *end = keys + sizeof(keys) / sizeof(keys[0]);
	size_t len;

	(void)arg;
	(void)pipeline;
	while (k < end && strcmp(k->name, key) != 0)
		k++;
	if (k < end && k->seen)
		refuse(n, "%s stands there twice", key);
	if (!*value)
		refuse(n, "%s has no value", *key ? key : "a key");
	value += *value == '"';
	len = strlen(value);
	if (len && value[len - 1] == '"')
		value[len - 1] = 0;
	if (k == end)
		refuse(n, "no such key: %s (topic, event, retries, backoff, deadline, job-deadline, window, limit)", key);
	k->seen = true;
	if (k->check)
		k->check(n, value);
	else
		check_number(k, n, value);
	if (k->option)
		buf_addf(&options, "-%c '%s' ", k->option, value);
}

static void
list(void *arg, const char *pipeline, unsigned n, char *key, char *value)
{
	(void)arg;
	(void)pipeline;
	(void)n;
	if (*key)
		printf("%s%s%s\n", key, *value ? " " : "", value);
}

/* arg: 't' or 'e'. */
static void
topics(void *arg, const char *pipeline, unsigned n, char *key, char *value)
{
	bool own = *(char *)arg == 't';

	(void)pipeline;
	(void)n;
	if (strcmp(key, own ? "topic" : "event") != 0)
		return;
	value = header_word(value);
	if (own ? header_own(value) : header_event(value))
		puts(value);
}

int
main(int argc, char **argv)
{
	char what = 0;
	int c;

	err_init("pipeline-header");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+elt")) != -1) {
		if (what || c == '?')
			die_usage(usage);
		what = (char)c;
	}
	if (argc - optind != 1)
		die_usage(usage);
	file_name = argv[optind];
	if (what == 't' || what == 'e') {
		if (header_each(file_name, topics, &what) < 0)
			die_sys(XPERM, "%s", file_name);
	} else if (header_read(AT_FDCWD, file_name, what ? list : take, NULL) < 0)
		die(XPERM, "%s can't be read", file_name);
	if (options.len)
		puts(buf_str(&options));
	buf_free(&options);
	if (fflush(stdout) != 0 || ferror(stdout))
		die_sys(XTEMP, "write stdout");
	return 0;
}
