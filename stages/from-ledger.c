/* from-ledger - feed a pipeline's jobs to it and settle what comes back.
 * See docs/from-ledger.1. */
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "arg.h"
#include "err.h"
#include "feed.h"
#include "flight.h"
#include "lease.h"
#include "peek.h"
#include "pg.h"
#include "result.h"

enum {
	WINDOW_MAX = 10000, CONNECT_MS = 5000,
	ALONE = 2,              /* a job with so many uncharged deaths is fed alone */
	CLAIM_MS = 10, CLAIM_LEAST = 64         /* fewer are claimed so often only */
};

static const char usage[] = "from-ledger -p pipeline [-w window] [-t deadline] [-r retries] [-o owner] [-D fd] [-- filter ...]\n\n"
    "Feeds the jobs of a pipeline from the ledger (SLUICE_DB) to a filter and settles\n"
    "them by what comes back. Without a filter: prints the lines of the jobs that are\n"
    "queued and changes nothing.\n"
    "  -p pipeline  whose jobs\n"
    "  -w window    most jobs in flight (500)\n"
    "  -t deadline  seconds for the oldest job in flight (300)\n"
    "  -r retries   of a failed attempt (3)\n"
    "  -o owner     this worker's name in the ledger\n"
    "  -D fd        write a newline to it when ready\n";

static struct pg db = PG_INIT;
static struct lease lease = LEASE_INIT;
static struct flights flights;
static const char *pipeline;
static bool alone;              /* the one in flight must stay the only one */
static int64_t claim_at;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What the engine wants to hear; says why if it is to stop. Data that the
 * ledger refuses here is our own doing: nothing to try again. */
static int
check(enum pg_status st)
{
	if (st == PG_OK)
		return 0;
	warn("%s", db.err);
	return st == PG_DATA || pg_exit(st) == XPERM ? -100 : -1;
}

/* Settling */

static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	static struct rec r;
	static struct result_verdict v;
	static struct buf kept, message;
	struct result_job j = flight_job(&flights, tag);
	const struct buf *request = &flights.f[tag].request;
	bool done;

	(void)ctx;
	if (rec_parse(&r, line, len) != REC_OK)
		die(XBUG, "an answer that is no record: job=%s", j.job_id);
	result_verdict(&v, &r);
	done = !strcmp(v.verb, "completed");
	kept.len = message.len = 0;
	if (v.retry || !strcmp(v.verb, "waiting"))
		result_keep(&kept, request, &r);
	result_message(&message, &j, done ? "completed" : "failed", &v.error, request, done ? &r : NULL);
	flight_add(&flights, tag, &v, &kept, &message, NULL, now_ms());
	return flights_full(&flights) ? check(flights_settle(&flights, now_ms())) : 0;
}

static int
guilty(void *ctx, struct feed *feed, uint64_t tag, const struct feed_death *why)
{
	static struct result_verdict v = { .verb = "error", .retry = true };
	static struct buf message, err;
	struct result_job j = flight_job(&flights, tag);

	(void)ctx, (void)feed;
	v.error.len = message.len = err.len = 0;
	result_error(&v.error, why->timeout ? "timeout" : "crashed", why->text, true);
	result_message(&message, &j, "failed", &v.error, NULL, NULL);
	buf_add(&err, why->err, why->err_len);
	flight_add(&flights, tag, &v, NULL, &message, &err, now_ms());
	return 0;
}

/* Feeding */

enum { C_NO, C_CLAIMED, C_STATE, C_N, C_RUN, C_ATTEMPT, C_WAIT, C_TENANT, C_JOB_ID, C_DOC_KEY, C_PRIO, C_REQUEST, C_LINE };

static const char claim_sql[] = "select no, claimed, state, n, run, attempt, wait_ms, tenant, job_id, doc_key, prio, "
    "request, line from sluice.claim($1,$2,$3,$4)";

static void
copy(struct buf *to, int row, int col)
{
	size_t len;
	const char *p = pg_bytes(&db, row, col, &len);

	to->len = 0;
	buf_add(to, p, len);
	buf_str(to);
}

/* One job that is ours now, on its way to the filter. */
static void
feed_job(struct feed *feed, int row)
{
	static struct buf line;
	size_t i = flight_new(&flights), len;
	struct flight *f = &flights.f[i];
	struct result_job j;
	const char *base;

	f->no = pg_i64(&db, row, C_NO);
	f->n = (int)pg_i64(&db, row, C_N);
	f->run = (int)pg_i64(&db, row, C_RUN);
	f->attempt = (int)pg_i64(&db, row, C_ATTEMPT);
	f->prio = (int)pg_i64(&db, row, C_PRIO);
	copy(&f->tenant, row, C_TENANT);
	copy(&f->job_id, row, C_JOB_ID);
	copy(&f->doc_key, row, C_DOC_KEY);
	copy(&f->request, row, C_REQUEST);
	j = flight_job(&flights, i);
	base = pg_bytes(&db, row, pg_null(&db, row, C_LINE) ? C_REQUEST : C_LINE, &len);
	line.len = 0;
	if (result_feed_line(&line, base, len, &j) < 0)
		die(XBUG, "the ledger holds a line that is no record: job=%s", f->job_id.p);
	feed_put(feed, i, line.p, line.len);
}

static int
claim(struct feed *feed, struct pg_args *a)
{
	int r = check(pg_call_again(&db, claim_sql, a));

	for (int i = 0; !r && i < pg_rows(&db); i++) {
		int64_t no = pg_i64(&db, i, C_NO);

		if (pg_bool(&db, i, C_CLAIMED))
			feed_job(feed, i);
		else if (!strcmp(pg_bytes(&db, i, C_STATE, NULL), "queued"))
			dispatch_again(&lease.jobs, no, (int)pg_i64(&db, i, C_N), -1, pg_i64(&db, i, C_WAIT), now_ms());
		else
			dispatch_forget(&lease.jobs, no);       /* cancelled meanwhile */
	}
	return r;
}

static int
take(void *ctx, struct feed *feed, size_t want)
{
	static struct pg_args a = PG_ARGS_INIT;
	struct dispatch_job *j;
	int64_t now = now_ms();
	size_t got = 0;
	int no, n;

	(void)ctx;
	if (want > flights.spare_n)
		want = flights.spare_n;
	alone = alone && flights.n;
	/* Few at a time would make a commit of each: let room gather first. */
	if (alone || !want || (flights.n && want < CLAIM_LEAST && now < claim_at))
		return 0;
	pg_args_reset(&a);
	pg_put_i64(&a, pg_scalar(&a, PG_INT8), lease.worker);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), pipeline);
	no = pg_array(&a, PG_INT8);
	n = pg_array(&a, PG_INT4);
	while (got < want && !alone && (j = dispatch_peek(&lease.jobs, now))) {
		if (j->suspect >= ALONE && (got || flights.n))
			break;
		alone = j->suspect >= ALONE;
		pg_put_i64(&a, no, j->no);
		pg_put_i64(&a, n, j->n);
		dispatch_take(&lease.jobs);
		got++;
	}
	claim_at = now + CLAIM_MS;
	return got ? claim(feed, &a) : 0;
}

static int
tick(void *ctx, int *wait_ms)
{
	int64_t now = now_ms(), next;
	int r;

	(void)ctx;
	if (flights.added_n && (now >= flights.settle_by || flights.added_n == flights.n)) {
		if ((r = check(flights_settle(&flights, now))))
			return r;
		*wait_ms = 0;           /* there is room now */
	}
	if ((r = check(lease_tick(&lease, flights_slots(&flights), now, wait_ms))))
		return r;
	next = now + *wait_ms;
	if (flights.added_n && flights.settle_by < next)
		next = flights.settle_by;
	if (lease.jobs.ready.n && claim_at > now && claim_at < next)
		next = claim_at;
	*wait_ms = next > now ? (int)(next - now) : 0;
	return 0;
}

/* What was answered is settled, what was not goes back uncharged. */
static void
finish(void *ctx)
{
	int64_t now = now_ms();

	(void)ctx;
	if (check(flights_settle(&flights, now)) == 0 && check(flights_hand_back(&flights, now)) == 0)
		check(lease_end(&lease));
}

static int
run(struct feed *feed, const char *owner, char **argv)
{
	struct feed_source looking = peek_source(&db, pipeline);
	static const struct feed_source working = { .take = take, .answer = answer, .guilty = guilty,
	    .tick = tick, .finish = finish };
	enum pg_status st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);

	if (st == PG_OK)
		st = pg_ledger(&db, 1, NULL, NULL);
	if (st == PG_OK && *argv)
		st = lease_begin(&lease, &db, pipeline, owner);
	if (st != PG_OK)
		die(pg_exit(st), "%s", db.err);
	return feed_run(feed, *argv ? &working : &looking, *argv ? argv : NULL);
}

int
main(int argc, char **argv)
{
	struct feed_opts o = { .window = 500 };
	const char *owner = "from-ledger";
	unsigned retries = 3;
	struct feed *feed;
	int c, code;

	err_init("from-ledger");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+p:w:t:r:o:D:")) != -1)
		switch (c) {
		case 'p': pipeline = optarg; break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, WINDOW_MAX); break;
		case 't': o.deadline_ms = 1000 * arg_ulong("-t", optarg, 1, 86400); break;
		case 'r': retries = (unsigned)arg_ulong("-r", optarg, 0, 100); break;
		case 'o': owner = optarg; break;
		case 'D': o.ready_fd = (int)arg_ulong("-D", optarg, 3, 1023); break;
		default: die_usage(usage);
		}
	if (!pipeline)
		die_usage(usage);
	feed = feed_open(&o);
	flights_init(&flights, &lease, o.window, retries);
	code = run(feed, owner, argv + optind);
	feed_free(feed);
	flights_free(&flights);
	dispatch_release(&lease.jobs);
	pg_close(&db);
	return code;
}
