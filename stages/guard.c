/* guard - run a stage that may crash, leak or hang, so that it costs only the
 * record it happens on. See docs/guard.1. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <unistd.h>

#include "arg.h"
#include "cancels.h"
#include "death.h"
#include "err.h"
#include "feed.h"
#include "hints.h"
#include "ndjson.h"
#include "pour.h"
#include "stage.h"
#include "unit.h"
#include "watch.h"

static const char usage[] =
    "guard [-m bytes] [-t seconds] [-c seconds] [-j copies] [-w window] [-n records] [-l bytes] -- stage ...\n\n"
    "Runs copies of a stage. A record that one of them dies on comes out with an\n"
    "error, the others as the stage answers them, in the order of the input.\n\n"
    "  -m bytes    most memory of a copy, with all that it starts (no limit)\n"
    "  -t seconds  most time for a record (300)\n"
    "  -c seconds  most CPU time for a record (no limit)\n"
    "  -j copies   how many run at once (1)\n"
    "  -w window   most records in a copy at once (1)\n"
    "  -n records  end a copy in peace after so many, start another (never)\n"
    "  -l bytes    most bytes of chunks that a stage makes of one record (256M)\n";

enum { COPIES_MAX = 64, SAMPLE_MS = 100, IDLE_MS = 1000, AHEAD = 4 };
#define HELD_MAX ((size_t)64 << 20)     /* bytes of records held, unless it is a single one */
#define UNIT_MAX ((size_t)128 << 20)    /* bytes of one job with its chunks */
#define POUR_MAX ((size_t)4 << 20)      /* bytes that wait for the next stage */

struct copy {
	struct guard *g;
	struct feed *feed;
	struct watch watch;
	bool hungry, asked;     /* it could take more than there was */
};

struct guard {
	const char *stage;
	struct in in;
	struct units units;
	struct pour pour;
	struct cancels cancels;
	bool blind;             /* they can't be read, which was said */
	bool ended, torn;       /* stdin */
	size_t ahead;           /* most units held */
	struct copy copy[COPIES_MAX];
	size_t n;
};

static bool
full(const struct guard *g)
{
	return g->units.n >= g->ahead || (g->units.n && g->units.bytes >= HELD_MAX) ||
	    g->pour.b.len >= POUR_MAX;
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void
at_end(struct guard *g, bool torn)
{
	g->ended = true;
	g->torn = torn;
}

/* Reads what is there, without waiting, until something can be worked on. */
static bool
read_some(struct guard *g)
{
	const char *line;
	size_t len;

	while (!g->ended && !full(g) && !g->units.ready && (in_buffered(&g->in) || readable(g->in.fd)))
		switch (in_rec(&g->in, &line, &len)) {
		case IN_REC: units_add(&g->units, line, len); break;
		case IN_LONG: units_add_long(&g->units, line, len, g->in.max); break;
		case IN_EOF: at_end(g, false); break;
		case IN_TORN: at_end(g, true); break;
		case IN_ERR:
		case IN_WERR:
			if (errno != EAGAIN)
				die_sys(XTEMP, "read stdin");
		}
	units_out(&g->units, &g->pour.b);
	return g->units.ready;
}

static void
fail(struct guard *g, struct unit *one, const struct buf *error)
{
	units_fail(&g->units, one, error->p, error->len);
	units_out(&g->units, &g->pour.b);
}

/* True when it needs no feeding any more. */
static bool
is_over(struct guard *g, struct unit *one)
{
	static struct buf error;
	bool cancelled = cancels_has(&g->cancels, one->job.p, one->job.len, one->attempt);

	if (!one->too_large && !cancelled)
		return false;
	error.len = 0;
	stage_error_json(&error, cancelled ? "cancelled" : "too_large", cancelled, 0, cancelled ?
	    "the job was cancelled" : "the job's lines are too many bytes");
	fail(g, one, &error);
	return true;
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	struct copy *c = ctx;
	struct guard *g = c->g;

	while (want && (g->units.ready || read_some(g))) {
		struct unit *one = units_next(&g->units);

		if (is_over(g, one))
			continue;
		feed_put(f, (uint64_t)(uintptr_t)one, one->lines.p, one->lines.len);
		want--;
	}
	c->asked = true;
	c->hungry = want && !full(g);
	return g->ended && !g->units.ready;
}

static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	struct copy *c = ctx;

	watch_moved(&c->watch);
	units_done(&c->g->units, (struct unit *)(uintptr_t)tag, line, len);
	units_out(&c->g->units, &c->g->pour.b);
	return 0;
}

static int
guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	static struct buf error;
	struct copy *c = ctx;
	size_t len = 0;
	const char *err = feed_log(f, tag, &len);

	watch_moved(&c->watch);
	death_error(&error, c->g->stage, why, why->why == FEED_ENDED && watch_is_memory(&c->watch, why->rss),
	    err, len);
	fail(c->g, (struct unit *)(uintptr_t)tag, &error);
	return 0;
}

static int
tick(void *ctx, int *wait_ms)
{
	struct copy *c = ctx;
	struct guard *g = c->g;
	uint64_t tag;
	size_t given;

	if (c == g->copy) {
		units_out(&g->units, &g->pour.b);
		if (pour_some(&g->pour) < 0) {
			warn_sys("write stdout");
			return -1;
		}
		if (cancels_look(&g->cancels) < 0 && !g->blind) {
			g->blind = true;
			warn_sys("%s: cancelled jobs run on", g->cancels.path.p);
		}
	}
	c->hungry &= c->asked;
	c->asked = false;
	watch_look(&c->watch, c->feed);
	if (g->cancels.lines.len && feed_only(c->feed, &tag) == 0) {
		const struct unit *one = (const struct unit *)(uintptr_t)tag;

		if (cancels_has(&g->cancels, one->job.p, one->job.len, one->attempt))
			feed_end_filter(c->feed, FEED_CANCELLED);
	}
	if (g->cancels.path.len || watch_wanted(&c->watch))
		*wait_ms = feed_inside(c->feed, &given) ? SAMPLE_MS : IDLE_MS;
	return 0;
}

static int
wants_in(void *ctx)
{
	const struct copy *c = ctx;

	return c->hungry && !c->g->ended ? c->g->in.fd : -1;
}

static int
wants_out(void *ctx)
{
	const struct copy *c = ctx;

	return c == c->g->copy && c->g->pour.b.len ? c->g->pour.fd : -1;
}

static int
run(struct guard *g, const struct feed_opts *o, char **argv)
{
	static struct feed_source src[COPIES_MAX];
	struct feed *feed[COPIES_MAX];
	int code;

	for (size_t i = 0; i < g->n; i++) {
		g->copy[i].g = g;
		g->copy[i].watch = g->copy[0].watch;
		g->copy[i].feed = feed[i] = feed_open(o);
		src[i] = (struct feed_source){ .ctx = &g->copy[i], .take = take, .answer = answer,
		    .guilty = guilty, .tick = tick, .fd = wants_in, .fd_out = wants_out };
	}
	code = feed_run_many(feed, src, g->n, argv);
	units_out(&g->units, &g->pour.b);
	if (pour_all(&g->pour) < 0)
		die_sys(XTEMP, "write stdout");
	for (size_t i = 0; i < g->n; i++)
		feed_free(feed[i]);
	if (code == 0 && g->torn)
		die(XTEMP, "input ends inside a record, without a line feed");
	if (code == 0 && g->ended && units_open(&g->units))
		die(XTEMP, "input ends inside a job: jobs=%zu", units_open(&g->units));
	return code;
}

int
main(int argc, char **argv)
{
	static struct guard g = { .in = IN_INIT(0, RECORD_MAX, NULL), .units = UNITS_INIT(UNIT_MAX), .n = 1 };
	struct feed_opts o = { .nested = 1, .window = 1, .parts_max = (size_t)256 << 20 };
	struct watch *w = &g.copy[0].watch;
	int c;

	err_init("guard");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+m:t:c:j:w:n:l:")) != -1)
		switch (c) {
		case 'm': w->memory = o.limit.data_max = arg_ulong("-m", optarg, 1 << 20, 1UL << 50); break;
		case 't': o.deadline_ms = (unsigned long)(arg_double("-t", optarg, 0.001, 1e6) * 1000); break;
		case 'c': w->cpu_ms = (uint64_t)(arg_double("-c", optarg, 0.001, 1e6) * 1000); break;
		case 'j': g.n = arg_ulong("-j", optarg, 1, COPIES_MAX); break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, 100000); break;
		case 'n': o.recycle = arg_ulong("-n", optarg, 1, 1UL << 40); break;
		case 'l': o.parts_max = arg_ulong("-l", optarg, 1, 1UL << 40); break;
		default: die_usage(usage);
		}
	if (!argv[optind])
		die_usage(usage);
	o.label = g.stage = basename(argv[optind]);
	o.hints = hints_wanted();
	g.ahead = AHEAD * g.n * o.window + 16;
	cancels_open(&g.cancels, arg_env("SLUICE_CANCELS", NULL));
	g.in.fd = pour_reopen(0, O_RDONLY);
	pour_open(&g.pour, 1);
	return run(&g, &o, argv + optind);
}
