/* from-ledger - feed a pipeline's jobs to it and settle what comes back.
 * See docs/from-ledger.1. */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arg.h"
#include "err.h"
#include "feed.h"
#include "lease.h"
#include "ndjson.h"
#include "pg.h"
#include "result.h"

enum {
	WINDOW_MAX = 10000, CONNECT_MS = 5000, TRIES = 4,
	SETTLE_MS = 10,         /* answers are gathered for so long into one commit */
	SETTLE_MOST = 500,
	SETTLE_BYTES = 8 << 20,
	ALONE = 2               /* a job with so many uncharged deaths is fed alone */
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

/* A job in flight; its index is the feeder's tag. */
struct flight {
	int64_t no;
	int n, run, attempt, prio;
	struct buf tenant, job_id, doc_key, request;
	bool used;
};

static struct pg db = PG_INIT;
static struct lease lease = LEASE_INIT;
static const char *pipeline;
static unsigned long retries = 3;
static struct flight *flights;
static size_t flights_max, in_flight;
static size_t *spare, spare_n;          /* free indexes of flights */
static bool alone;                      /* the one in flight must stay the only one */
static int64_t claim_at;

/* Answers gathered for the next settle: its arguments, and which flights they are. */
static struct pg_args settling = PG_ARGS_INIT;
static size_t *settled, settled_n, settled_bytes;
static int64_t settle_by;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Says why and returns what the engine wants to hear. */
static int
stop(enum pg_status st)
{
	warn("%s", db.err);
	return pg_exit(st) == XPERM ? -100 : -1;
}

static enum pg_status
call(const char *sql, struct pg_args *a)
{
	enum pg_status st = PG_RETRY;

	for (int i = 0; i < TRIES && (st = pg_call(&db, sql, a)) == PG_RETRY; i++) {
		warn("trying again: %s", db.err);
		poll(NULL, 0, 20 << i);
	}
	return st;
}

static uint64_t
slots_in_flight(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < flights_max; i++)
		if (flights[i].used)
			mask |= (uint64_t)1 << (flights[i].no % DISPATCH_SLOTS);
	return mask;
}

/* Settling */

enum { S_NO, S_N, S_ATTEMPT, S_VERB, S_RETRY, S_CHARGE, S_AFTER, S_ERROR, S_LINE, S_RESULT, S_STDERR, S_COLUMNS };
enum { S_FIRST = 3 };   /* worker, pipeline, retries come before them */

static const char settle_sql[] = "select no, applied, state, n, suspect, wait_ms from "
    "sluice.settle($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)";

static void
settle_start(void)
{
	static const enum pg_type types[S_COLUMNS] = { PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_BOOL, PG_BOOL,
	    PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA };

	pg_args_reset(&settling);
	pg_put_i64(&settling, pg_scalar(&settling, PG_INT8), lease.worker);
	pg_puts(&settling, pg_scalar(&settling, PG_TEXT), pipeline);
	pg_put_i64(&settling, pg_scalar(&settling, PG_INT4), (int64_t)retries);
	for (int i = 0; i < S_COLUMNS; i++)
		pg_array(&settling, types[i]);
	settled_n = settled_bytes = 0;
}

static void
put_text(int column, const struct buf *b)
{
	if (b && b->len) {
		pg_put(&settling, S_FIRST + column, b->p, b->len);
		settled_bytes += b->len;
	} else
		pg_put_null(&settling, S_FIRST + column);
}

static void
settle_add(size_t index, const struct result_verdict *v, const struct buf *line, const struct buf *message,
    const struct buf *err)
{
	const struct flight *f = &flights[index];

	if (!settled_n)
		settle_by = now_ms() + SETTLE_MS;
	settled[settled_n++] = index;
	pg_put_i64(&settling, S_FIRST + S_NO, f->no);
	pg_put_i64(&settling, S_FIRST + S_N, f->n);
	pg_put_i64(&settling, S_FIRST + S_ATTEMPT, f->attempt);
	pg_puts(&settling, S_FIRST + S_VERB, v->verb);
	pg_put_i64(&settling, S_FIRST + S_RETRY, v->retry);
	pg_put_i64(&settling, S_FIRST + S_CHARGE, v->retry);
	pg_put_i64(&settling, S_FIRST + S_AFTER, (int64_t)v->after_ms);
	put_text(S_ERROR, &v->error);
	put_text(S_LINE, line);
	put_text(S_RESULT, message);
	put_text(S_STDERR, err);
}

static void
land(size_t index, bool again, int n, int suspect, int64_t wait_ms)
{
	struct flight *f = &flights[index];

	f->used = false;
	in_flight--;
	spare[spare_n++] = index;
	if (!in_flight)
		alone = false;
	if (again && lease_owns(&lease, f->no))
		dispatch_again(&lease.jobs, f->no, n, suspect, wait_ms, now_ms());
	else
		dispatch_forget(&lease.jobs, f->no);
	if (f->request.cap > (1 << 16))
		buf_free(&f->request);
}

static int
settle(void)
{
	enum pg_status st;

	if (!settled_n)
		return 0;
	st = call(settle_sql, &settling);
	if (st != PG_OK)
		return stop(st == PG_DATA ? PG_BUG : st);
	for (size_t i = 0; i < settled_n; i++) {
		bool queued = !strcmp(pg_bytes(&db, (int)i, 2, NULL), "queued");

		if (!pg_bool(&db, (int)i, 1))
			warn("refused as stale: job=%s attempt=%d state=%s", flights[settled[i]].job_id.p,
			    flights[settled[i]].attempt, pg_bytes(&db, (int)i, 2, NULL));
		land(settled[i], queued, (int)pg_i64(&db, (int)i, 3), (int)pg_i64(&db, (int)i, 4),
		    pg_i64(&db, (int)i, 5));
	}
	settle_start();
	return 0;
}

static struct result_job
job_of(const struct flight *f)
{
	static const char *const prios[] = { "High", "Medium", "Low" };

	return (struct result_job){ f->tenant.p, f->job_id.p, f->doc_key.p, pipeline, prios[f->prio], f->run, f->attempt };
}

static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	static struct rec r;
	static struct result_verdict v;
	static struct buf kept, message;
	struct flight *f = &flights[tag];
	struct result_job j = job_of(f);
	bool done;

	(void)ctx;
	if (rec_parse(&r, line, len) != REC_OK) {
		warn("an answer that is no record: job=%s", f->job_id.p);
		return -1;              /* the engine has checked it */
	}
	result_verdict(&v, &r);
	done = !strcmp(v.verb, "completed");
	kept.len = message.len = 0;
	if (!done && (v.retry || !strcmp(v.verb, "waiting")))
		result_keep(&kept, &f->request, &r);
	result_message(&message, &j, done ? "completed" : "failed", &v.error, &f->request, done ? &r : NULL);
	settle_add(tag, &v, &kept, &message, NULL);
	return settled_n >= SETTLE_MOST || settled_bytes >= SETTLE_BYTES ? settle() : 0;
}

static int
guilty(void *ctx, struct feed *feed, uint64_t tag, const struct feed_death *why)
{
	static struct result_verdict v;
	static struct buf message, err;
	struct flight *f = &flights[tag];
	struct result_job j = job_of(f);

	(void)ctx, (void)feed;
	v.verb = "error";
	v.retry = true;
	v.after_ms = 0;
	v.error.len = message.len = err.len = 0;
	result_error(&v.error, why->timeout ? "timeout" : "crashed", why->text, true);
	result_message(&message, &j, "failed", &v.error, &f->request, NULL);
	buf_add(&err, why->err, why->err_len);
	settle_add(tag, &v, NULL, &message, &err);
	return 0;
}

/* Feeding */

static const char claim_sql[] = "select no, claimed, state, n, run, attempt, wait_ms, tenant, job_id, doc_key, prio, request, line "
    "from sluice.claim($1,$2,$3,$4)";

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
	size_t index = spare[--spare_n], len;
	struct flight *f = &flights[index];
	int kept = pg_null(&db, row, 12) ? 11 : 12;
	struct result_job j;
	const char *base;

	f->no = pg_i64(&db, row, 0);
	f->n = (int)pg_i64(&db, row, 3);
	f->run = (int)pg_i64(&db, row, 4);
	f->attempt = (int)pg_i64(&db, row, 5);
	f->prio = (int)pg_i64(&db, row, 10);
	copy(&f->tenant, row, 7);
	copy(&f->job_id, row, 8);
	copy(&f->doc_key, row, 9);
	copy(&f->request, row, 11);
	f->used = true;
	in_flight++;
	j = job_of(f);
	line.len = 0;
	base = pg_bytes(&db, row, kept, &len);
	if (result_feed_line(&line, base, len, &j) < 0)
		die(XBUG, "the ledger holds a line that is no record: job=%s", f->job_id.p);
	feed_put(feed, index, line.p, line.len);
}

static int
claim(struct feed *feed, struct pg_args *a)
{
	enum pg_status st = call(claim_sql, a);

	if (st != PG_OK)
		return stop(st == PG_DATA ? PG_BUG : st);
	for (int i = 0; i < pg_rows(&db); i++) {
		int64_t no = pg_i64(&db, i, 0);

		if (pg_bool(&db, i, 1))
			feed_job(feed, i);
		else if (!strcmp(pg_bytes(&db, i, 2, NULL), "queued"))
			dispatch_again(&lease.jobs, no, (int)pg_i64(&db, i, 3), -1, pg_i64(&db, i, 6), now_ms());
		else
			dispatch_forget(&lease.jobs, no);       /* cancelled meanwhile */
	}
	return 0;
}

static int
take(void *ctx, struct feed *feed, size_t want)
{
	static struct pg_args a = PG_ARGS_INIT;
	struct dispatch_job *j;
	int64_t now = now_ms();
	int no, n;
	size_t got = 0;

	(void)ctx;
	/* Few at a time would make a commit of each: let room gather first. */
	if (alone || !spare_n || (in_flight && want < 64 && now < claim_at))
		return 0;
	pg_args_reset(&a);
	pg_put_i64(&a, pg_scalar(&a, PG_INT8), lease.worker);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), pipeline);
	no = pg_array(&a, PG_INT8);
	n = pg_array(&a, PG_INT4);
	while (got < want && got < spare_n && (j = dispatch_peek(&lease.jobs, now))) {
		if (j->suspect >= ALONE && (got || in_flight))
			break;
		alone = j->suspect >= ALONE;
		pg_put_i64(&a, no, j->no);
		pg_put_i64(&a, n, j->n);
		dispatch_take(&lease.jobs);
		got++;
		if (alone)
			break;
	}
	claim_at = now + SETTLE_MS;
	if (!got)
		return 0;
	return claim(feed, &a);
}

static int
tick(void *ctx, int *wait_ms)
{
	int64_t now = now_ms(), left;
	enum pg_status st;
	int r;

	(void)ctx;
	if (settled_n && (now >= settle_by || settled_n == in_flight)) {
		if ((r = settle()))
			return r;
		*wait_ms = 0;           /* there is room now */
	}
	st = lease_tick(&lease, slots_in_flight(), now, wait_ms);
	if (st != PG_OK)
		return stop(st);
	if (!in_flight)
		alone = false;
	left = settled_n ? settle_by - now : *wait_ms;
	if (lease.jobs.ready.n && claim_at > now && claim_at - now < left)
		left = claim_at - now;
	if (left < *wait_ms)
		*wait_ms = left < 0 ? 0 : (int)left;
	return 0;
}

/* What was answered is settled, what was not goes back uncharged. */
static void
finish(void *ctx)
{
	struct result_verdict back = { .verb = "back" };
	enum pg_status st;

	(void)ctx;
	if (settle() < 0)
		return;
	for (size_t i = 0; i < flights_max; i++)
		if (flights[i].used)
			settle_add(i, &back, NULL, NULL, NULL);
	if (settle() < 0)
		return;
	st = lease_end(&lease);
	if (st != PG_OK)
		stop(st);
}

/* Looking */

static const char peek_sql[] = "select no, run, attempt, tenant, job_id, doc_key, line from sluice.peek($1,$2,$3,$4)";

static int
peek(void *ctx, struct feed *feed, size_t want)
{
	static struct pg_args a = PG_ARGS_INIT;
	static struct buf line, copies[3];
	static const char *const prios[] = { "High", "Medium", "Low" };
	static int prio;
	static int64_t after;
	enum pg_status st;

	(void)ctx;
	if (prio == DISPATCH_PRIOS)
		return 1;
	pg_args_reset(&a);
	pg_puts(&a, pg_scalar(&a, PG_TEXT), pipeline);
	pg_put_i64(&a, pg_scalar(&a, PG_INT4), prio);
	pg_put_i64(&a, pg_scalar(&a, PG_INT8), after);
	pg_put_i64(&a, pg_scalar(&a, PG_INT4), (int64_t)want);
	if ((st = call(peek_sql, &a)) != PG_OK)
		return stop(st);
	for (int i = 0; i < pg_rows(&db); i++) {
		size_t len;
		const char *base = pg_bytes(&db, i, 6, &len);
		struct result_job j;

		after = pg_i64(&db, i, 0);
		if (pg_null(&db, i, 6))
			continue;
		for (int k = 0; k < 3; k++)
			copy(&copies[k], i, 3 + k);
		j = (struct result_job){ copies[0].p, copies[1].p, copies[2].p, pipeline, prios[prio],
		    (int)pg_i64(&db, i, 1), (int)pg_i64(&db, i, 2) };
		line.len = 0;
		if (result_feed_line(&line, base, len, &j) == 0)
			feed_put(feed, (uint64_t)after, line.p, line.len);
	}
	if (!pg_rows(&db)) {
		prio++;
		after = 0;
	}
	return 0;
}

static int
printed(void *ctx, uint64_t tag, const char *line, size_t len)
{
	(void)ctx, (void)tag, (void)line, (void)len;
	return 0;
}

static int
look(struct feed *feed)
{
	static const struct feed_source source = { .take = peek, .answer = printed };

	return feed_run(feed, &source, NULL);
}

static int
work(struct feed *feed, const char *owner, char **argv)
{
	static const struct feed_source source = { .take = take, .answer = answer, .guilty = guilty,
	    .tick = tick, .finish = finish };
	enum pg_status st = lease_begin(&lease, &db, pipeline, owner);

	if (st != PG_OK)
		die(pg_exit(st), "%s", db.err);
	settle_start();
	return feed_run(feed, &source, argv);
}

int
main(int argc, char **argv)
{
	struct feed_opts o = { .window = 500 };
	const char *owner = "from-ledger";
	struct feed *feed;
	enum pg_status st;
	int c, code;

	err_init("from-ledger");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+p:w:t:r:o:D:")) != -1)
		switch (c) {
		case 'p': pipeline = optarg; break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, WINDOW_MAX); break;
		case 't': o.deadline_ms = 1000 * arg_ulong("-t", optarg, 1, 86400); break;
		case 'r': retries = arg_ulong("-r", optarg, 0, 100); break;
		case 'o': owner = optarg; break;
		case 'D': o.ready_fd = (int)arg_ulong("-D", optarg, 3, 1023); break;
		default: die_usage(usage);
		}
	if (!pipeline)
		die_usage(usage);
	feed = feed_open(&o);
	flights_max = o.window;
	flights = mem_zalloc(flights_max * sizeof(*flights));
	spare = mem_array(NULL, flights_max, sizeof(*spare));
	settled = mem_array(NULL, flights_max, sizeof(*settled));
	while (spare_n < flights_max) {
		spare[spare_n] = flights_max - 1 - spare_n;
		spare_n++;
	}
	st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);
	if (st == PG_OK)
		st = pg_ledger(&db, 1, NULL, NULL);
	if (st != PG_OK)
		die(pg_exit(st), "%s", db.err);
	code = argv[optind] ? work(feed, owner, argv + optind) : look(feed);
	feed_free(feed);
	pg_close(&db);
	return code;
}
