/* feedtest - a feeder over stdin, to try the engine on hostile filters.
 * feedtest [-w window] [-d deadline_ms] [-g grace_ms] [-aH] -- FILTER...
 * Each line of stdin is a record; what becomes of it goes to stdout:
 * "answer TAG LINE" or "guilty TAG REASON" or "guilty-again TAG". With -H also what
 * is known of each: "timings TAG JSON" and "log TAG BYTES TEXT", LF as |. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "feed.h"
#include "ndjson.h"

struct source {
	struct in in;
	uint64_t tag;
	struct feed *f;
	bool put_again, tell;
};

static void
tell(struct source *s, uint64_t tag)
{
	size_t len;
	const char *timings = feed_timings(s->f, tag), *log = feed_log(s->f, tag, &len);

	if (s->tell && timings)
		printf("timings %" PRIu64 " %s\n", tag, timings);
	if (s->tell && log) {
		printf("log %" PRIu64 " %zu ", tag, len);
		for (size_t i = 0; i < len; i++)
			putchar(log[i] == '\n' ? '|' : log[i]);
		putchar('\n');
	}
}

static int
on_take(void *ctx, struct feed *f, size_t want)
{
	struct source *s = ctx;
	const char *line;
	size_t len;

	while (want--) {
		enum in_status st = in_rec(&s->in, &line, &len);

		if (st != IN_REC)
			return !(st == IN_ERR && errno == EAGAIN);
		feed_put(f, ++s->tag, line, len);
	}
	return 0;
}

static int
on_fd(void *ctx)
{
	(void)ctx;
	return 0;
}

static int
on_answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	tell(ctx, tag);
	printf("answer %" PRIu64 " %.*s\n", tag, (int)len, line);
	fflush(stdout);
	return 0;
}

static int
on_guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	struct source *s = ctx;

	tell(s, tag);
	printf("guilty %" PRIu64 " %s [%.*s]\n", tag, why->text, (int)why->err_len, why->err_len ? why->err : "");
	fflush(stdout);
	if (s->put_again)
		feed_put(f, tag, "{\"error\":{\"code\":\"crashed\"}}", 28);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct source s = { .in = IN_INIT(0, RECORD_MAX, NULL) };
	struct feed_source src = { .ctx = &s, .take = on_take, .answer = on_answer, .guilty = on_guilty,
	    .fd = on_fd };
	struct feed_opts o = { 0 };
	int c;

	err_init("feedtest");
	while ((c = getopt(argc, argv, "+w:d:g:aH")) != -1)
		switch (c) {
		case 'w': o.window = arg_ulong("-w", optarg, 1, 100000); break;
		case 'd': o.deadline_ms = arg_ulong("-d", optarg, 1, 1000000); break;
		case 'g': o.grace_ms = arg_ulong("-g", optarg, 1, 1000000); break;
		case 'H': o.hints = 1; s.tell = true; break;
		case 'a': s.put_again = true; break;
		default: die_usage("feedtest [-w window] [-d deadline_ms] [-aH] -- filter ...");
		}
	fcntl(0, F_SETFL, O_NONBLOCK);
	s.f = feed_open(&o);
	return feed_run(s.f, &src, argv[optind] ? argv + optind : NULL);
}
