/* from-ledger - feed a pipeline's jobs to it and settle what comes back.
 * See docs/from-ledger.1. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "arg.h"
#include "cancels.h"
#include "claim.h"
#include "err.h"
#include "feed.h"
#include "flight.h"
#include "hint.h"
#include "lease.h"
#include "now.h"
#include "peek.h"
#include "pg.h"
#include "report.h"
#include "result.h"
#include "stage.h"

enum { WINDOW_MAX = 10000, CONNECT_MS = 5000 };

static const char usage[] = "from-ledger -p pipeline [-w window] [-t deadline] [-r retries] [-b backoff] [-j deadline]"
    " [-e event] [-l limit] [-a ageing] [-i interval] [-g grace] [-o owner] [-D fd] [-- filter ...]\n\n"
    "Feeds the jobs of a pipeline from the ledger (SLUICE_DB) to a filter and settles\n"
    "them by what comes back. Without a filter: prints the lines of the jobs that are\n"
    "queued and changes nothing.\n"
    "  -p pipeline  whose jobs\n"
    "  -w window    most jobs in flight (500)\n"
    "  -t deadline  seconds for the oldest job in flight (300)\n"
    "  -r retries   of a failed attempt (3)\n"
    "  -b backoff   \"FIRST FACTOR CAP\": seconds before a retry, times so much each, at most (1 2 300)\n"
    "  -j deadline  seconds for a job from its admission, at any worker (none)\n"
    "  -e event     \"TOPIC STAGE\": a message there for each job that completes (none)\n"
    "  -l limit     most of the pipeline's jobs in flight over all workers (none)\n"
    "  -a ageing    \"MEDIUM LOW\": seconds that such a job lets later High ones go first (30 120)\n"
    "  -i interval  milliseconds between two looks for new jobs that no hint told of (100;\n"
    "               1000 at least while there is nothing to do and hints are heard)\n"
    "  -g grace     seconds to finish what is in flight when told to stop (30)\n"
    "  -o owner     this worker's name in the ledger\n"
    "  -D fd        write a newline to it when ready\n";

static struct pg db = PG_INIT, settling = PG_INIT;      /* to settle while more is claimed */
static struct lease lease = LEASE_INIT;
static struct flights flights;
static struct feed *feeding;
static struct cancels cancels;
static struct hint_ear ear = { .near = &db };
static struct report report = { .flights = &flights, .args = PG_ARGS_INIT };
static struct claim claim = CLAIM_INIT(&flights);

/* What the engine wants to hear; says why if it is to stop. Data that the
 * ledger refuses here is our own doing: nothing to try again. */
static int
judge(enum pg_status st, const struct pg *on)
{
	if (st == PG_OK)
		return 0;
	warn("%s", on->err);
	return st == PG_DATA || pg_exit(st) == XPERM ? -100 : -1;
}

static int check(enum pg_status st) { return judge(st, &db); }
static int check_settling(enum pg_status st) { return judge(st, &settling); }

/* Settling */

static int
answered(void *ctx, uint64_t tag, const struct rec *r)
{
	static struct result_verdict v;
	static struct buf kept, message;
	struct result_job j = flight_job(&flights, tag);
	const struct buf *request = &flights.f[tag].request;
	struct settling_notes notes = { .log_len = 0 };
	bool done;

	(void)ctx;
	notes.timings = feed_timings(feeding, tag);
	notes.log = feed_log(feeding, tag, &notes.log_len);
	result_verdict(&v, r);
	done = !strcmp(v.verb, "completed");
	kept.len = message.len = 0;
	if (v.retry || !strcmp(v.verb, "waiting"))
		result_keep(&kept, request, r);
	/* What is known of a work outlives a PDF that nobody has. */
	result_message(&message, &j, done ? "completed" : "failed", &v.error, request, done || rec_get(r, "work") ? r : NULL);
	flight_add(&flights, tag, &v, &kept, &message, &notes, now_ms());
	return flights_full(&flights) ? check_settling(flights_send(&flights, now_ms())) : 0;
}

static int
guilty(void *ctx, struct feed *feed, uint64_t tag, const struct feed_death *why)
{
	static const char *const codes[] = { [FEED_ENDED] = "crashed", [FEED_TIMEOUT] = "timeout", [FEED_CPU] = "timeout",
	    [FEED_MEMORY] = "memory", [FEED_TOO_LARGE] = "too_large", [FEED_CANCELLED] = "cancelled" };
	static struct result_verdict v = { .verb = "error" };
	static struct buf message;
	struct result_job j = flight_job(&flights, tag);
	struct settling_notes notes = { .death = why->err, .death_len = why->err_len };

	(void)ctx;
	notes.timings = feed_timings(feed, tag);
	notes.log = feed_log(feed, tag, &notes.log_len);
	v.retry = why->why != FEED_CANCELLED && why->why != FEED_TOO_LARGE;
	v.error.len = message.len = 0;
	stage_error_json(&v.error, codes[why->why], v.retry, 0, why->text);
	result_message(&message, &j, "failed", &v.error, NULL, NULL);
	flight_add(&flights, tag, &v, NULL, &message, &notes, now_ms());
	return 0;
}

/* An attempt that we have here has ended in the ledger (cancelled, a deadline):
 * guards are told, and a filter that has nothing else in it is ended. */
static void
stop(int64_t no, int attempt)
{
	ssize_t i = flight_find(&flights, no, attempt);
	const struct buf *id;
	uint64_t tag;

	if (i < 0)
		return;
	id = &flights.f[i].job_id;
	info("ended by others: job=%s attempt=%d", id->p, attempt);
	if (cancels_add(&cancels, id->p, id->len, (uint64_t)attempt) < 0)
		warn_sys("tell guards: job=%s", id->p);
	if (feed_only(feeding, &tag) == 0 && tag == (uint64_t)i)
		feed_end_filter(feeding, FEED_CANCELLED);
}

static int
take(void *ctx, struct feed *feed, size_t want)
{
	(void)ctx;
	return check(claim_some(&claim, feed, want, now_ms()));
}

static int
tick(void *ctx, int *wait_ms)
{
	int64_t now = now_ms(), next;
	int r;

	(void)ctx;
	if (hint_hear(&ear, now))
		lease_hint(&lease);
	lease.hears = ear.state == HINT_HEARING;
	if (flights_answered(&flights)) {
		if ((r = check_settling(flights_land(&flights, now))))
			return r;
		*wait_ms = 0;           /* there is room now */
	}
	if (flights_due(&flights, now) && (r = check_settling(flights_send(&flights, now))))
		return r;
	if ((r = check(claim_tick(&claim, feeding, now, wait_ms))))
		return r;
	if (!claim.under_way && ((r = check(lease_tick(&lease, flights_slots(&flights), now, wait_ms))) ||
	    (r = check(report_tick(&report, feeding, now)))))
		return r;
	next = now + *wait_ms;
	if (flights.added->s.n && !flights.sent && flights.settle_by < next)
		next = flights.settle_by;
	next = claim_next(&claim, now, next);
	*wait_ms = next > now ? (int)(next - now) : 0;
	return 0;
}

static int
fd(void *ctx)
{
	(void)ctx;
	return hint_fd(&ear);
}

static int
fd_out(void *ctx)
{
	(void)ctx;
	return hint_fd_out(&ear);
}

static int
fd_tick(void *ctx, int which)
{
	(void)ctx;
	if (which)
		return claim.under_way ? pg_fd(&db) : -1;
	return flights.under_way ? pg_fd(&settling) : -1;
}

/* What was answered is settled, what was not goes back uncharged. */
static void
finish(void *ctx)
{
	int64_t now = now_ms();
	int settled = check_settling(flights_settle(&flights, now)), claimed = check(claim_end(&claim, now));

	(void)ctx;
	if (settled == 0 && check_settling(flights_hand_back(&flights, now)) == 0 && claimed == 0)
		check(lease_end(&lease));
}

static int
run(const char *owner, char **argv)
{
	struct feed_source looking = peek_source(&db, lease.pipeline);
	static const struct feed_source working = { .take = take, .answered = answered, .guilty = guilty,
	    .tick = tick, .finish = finish, .fd = fd, .fd_out = fd_out, .fd_tick = fd_tick };
	enum pg_status st;

	ear.conninfo = arg_env("SLUICE_DB", "");
	ear.pipeline = lease.pipeline;
	st = pg_open(&db, ear.conninfo, CONNECT_MS);
	if (st == PG_OK)
		st = pg_ledger(&db, *argv ? 23 : 5, NULL, NULL);
	if (st == PG_OK && *argv)
		st = lease_begin(&lease, &db, owner);
	if (st != PG_OK)
		die(pg_exit(st), "%s", db.err);
	if (*argv && (st = pg_open(&settling, ear.conninfo, CONNECT_MS)) != PG_OK)
		die(pg_exit(st), "%s", settling.err);
	return feed_run(feeding, *argv ? &working : &looking, *argv ? argv : NULL);
}

/* "FIRST FACTOR CAP" */
static void
set_backoff(struct backoff *b, const char *arg)
{
	double v[3];

	arg_doubles("-b", arg, v, 3, 0, 86400);
	if (v[1] < 1)
		die(XPERM, "-b: a factor below 1: %s", arg);
	b->first_ms = (unsigned)(v[0] * 1000);
	b->factor = v[1];
	b->cap_ms = (unsigned)(v[2] * 1000);
}

static void
set_ageing(const char *arg)
{
	double v[2];

	arg_doubles("-a", arg, v, 2, 0, 86400);
	lease.jobs.penalty_ms[1] = (int64_t)(v[0] * 1000);
	lease.jobs.penalty_ms[2] = (int64_t)(v[1] * 1000);
}

int
main(int argc, char **argv)
{
	static struct backoff backoff = { .retries = 3, .first_ms = 1000, .cap_ms = 300000, .factor = 2 };
	struct feed_opts o = { .window = 500 };
	const char *owner = "from-ledger";
	int c, code;

	err_init("from-ledger");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+p:w:t:r:b:j:e:l:a:i:g:o:D:")) != -1)
		switch (c) {
		case 'p': lease.pipeline = optarg; break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, WINDOW_MAX); break;
		case 't': o.deadline_ms = 1000 * arg_ulong("-t", optarg, 1, 86400); break;
		case 'r': backoff.retries = (unsigned)arg_ulong("-r", optarg, 0, 100); break;
		case 'b': set_backoff(&backoff, optarg); break;
		case 'j': lease.deadline_s = (unsigned)arg_ulong("-j", optarg, 1, 366 * 86400); break;
		case 'e': lease.event = optarg; break;
		case 'l': lease.most = (unsigned)arg_ulong("-l", optarg, 1, 1000000); break;
		case 'a': set_ageing(optarg); break;
		case 'i': lease.poll_ms = (unsigned)arg_ulong("-i", optarg, 10, 60000); break;
		case 'g': o.grace_ms = 1000 * arg_ulong("-g", optarg, 1, 3600); break;
		case 'o': owner = optarg; break;
		case 'D': o.ready_fd = arg_fd("-D", optarg); break;
		default: die_usage(usage);
		}
	if (!lease.pipeline)
		die_usage(usage);
	o.hints = 1;
	lease.stop = stop;
	if (cancels_share(&cancels) < 0)
		die_sys(XTEMP, "a file of cancelled attempts");
	feeding = feed_open(&o);
	flights_init(&flights, &lease, &settling, o.window, &backoff);
	code = run(owner, argv + optind);
	feed_free(feeding);
	cancels_release(&cancels);
	hint_release(&ear);
	flights_free(&flights);
	claim_release(&claim);
	pg_args_free(&report.args);
	dispatch_release(&lease.jobs);
	pg_close(&settling);
	pg_close(&db);
	return code;
}
