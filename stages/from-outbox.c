/* from-outbox - feed the outbox's messages to a filter, in order, and mark
 * what was answered as sent. See docs/from-outbox.1. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arg.h"
#include "err.h"
#include "feed.h"
#include "json.h"
#include "pg.h"

enum {
	WINDOW_MAX = 10000, CONNECT_MS = 5000,
	POLL_MS = 100,          /* how often an idle relay looks */
	MARK_MS = 100,          /* how often the mark is moved: each move is a dead row */
	WAIT_MS = 1000          /* how often a waiting relay asks for the lock */
};

static const char usage[] = "from-outbox [-s stream] [-w window] [-t deadline] [-D fd] [-- filter ...]\n\n"
    "Feeds the messages of the ledger's outbox (SLUICE_DB) to a filter, in their order,\n"
    "and marks them as sent up to the first that has not come back. One relay of a\n"
    "stream works, another waits. Without a filter: prints what was not sent yet.\n"
    "  -s stream    whose messages (main)\n"
    "  -w window    most messages in flight (500)\n"
    "  -t deadline  seconds for the oldest message in flight (300)\n"
    "  -D fd        write a newline to it when ready\n";

static const char lock_sql[] = "select pg_try_advisory_lock(7305, hashtext($1))";
static const char position_sql[] = "select sent from sluice.outbox_pos where stream = $1";
static const char sent_sql[] = "select sluice.outbox_sent($1, $2)";
static const char read_sql[] = "select seq, topic, key, headers, value,"
    " (select max(o.seq) from sluice.outbox o where o.stream = $1)"
    " from sluice.outbox_read($1, $2, $3)";

static struct pg db = PG_INIT;
static struct pg_args args = PG_ARGS_INIT;
static const char *stream = "main";
static char ledger[37];
static int epoch;
static int looking;             /* without a filter: change nothing */
static int64_t read_to, sent;   /* fed up to; all answered up to */
static int64_t look_at, mark_at, marked;

/* Messages in flight in their order; answered ones wait for those before them. */
struct message {
	int64_t seq;
	bool answered;
};
static struct message *ring;
static size_t ring_n, head, held;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
stop(enum pg_status st)
{
	warn("%s", db.err);
	return pg_exit(st) == XPERM ? -100 : -1;
}

/* The call's arguments are the stream and up to two numbers. */
static enum pg_status
call(const char *sql, int n, int64_t a, int b)
{
	pg_args_reset(&args);
	pg_puts(&args, pg_scalar(&args, PG_TEXT), stream);
	if (n > 0)
		pg_put_i64(&args, pg_scalar(&args, PG_INT8), a);
	if (n > 1)
		pg_put_i64(&args, pg_scalar(&args, PG_INT4), b);
	return pg_call(&db, sql, &args);
}

/* Waits until this is the live relay. Before the filter starts: to-kafka's
 * first act fences the producer of the relay that works. */
static enum pg_status
become_live(void)
{
	enum pg_status st;

	for (bool said = false;; said = true) {
		if ((st = call(lock_sql, 0, 0, 0)) != PG_OK)
			return st;
		if (pg_bool(&db, 0, 0))
			break;
		if (!said)
			info("another relay works, waiting: stream=%s", stream);
		poll(NULL, 0, WAIT_MS);
	}
	st = call(sent_sql, 1, 0, 0);           /* never goes back: this reads it */
	if (st != PG_OK)
		return st;
	read_to = sent = marked = pg_i64(&db, 0, 0);
	info("relaying: stream=%s ledger=%s epoch=%d sent=%lld", stream, ledger, epoch, (long long)sent);
	return PG_OK;
}

static void
member(struct buf *line, const char *name, int row, int col, bool json)
{
	size_t len;
	const char *p = pg_bytes(&db, row, col, &len);

	buf_adds(line, name);
	if (pg_null(&db, row, col))
		buf_adds(line, "null");
	else if (json)
		buf_add(line, p, len);
	else
		json_quote(line, p, len);
}

static void
feed_message(struct feed *f, int row)
{
	static struct buf line;
	int64_t seq = pg_i64(&db, row, 0);
	size_t i = (head + held++) % ring_n;

	ring[i] = (struct message){ .seq = seq };
	line.len = 0;
	buf_addf(&line, "{\"outbox\":{\"ledger\":\"%s\",\"epoch\":%d,\"stream\":", ledger, epoch);
	json_quotes(&line, stream);
	/* By prev and head to-kafka sees a position that is not this ledger's. */
	buf_addf(&line, ",\"seq\":%lld,\"prev\":%lld,\"head\":%lld}", (long long)seq,
	    (long long)read_to, (long long)pg_i64(&db, row, 5));
	member(&line, ",\"topic\":", row, 1, false);
	member(&line, ",\"key\":", row, 2, false);
	if (!pg_null(&db, row, 3))
		member(&line, ",\"headers\":", row, 3, true);
	member(&line, ",\"value\":", row, 4, true);
	buf_addc(&line, '}');
	read_to = seq;
	feed_put(f, (uint64_t)i, line.p, line.len);
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	int64_t now = now_ms();
	enum pg_status st;

	(void)ctx;
	if (now < look_at)
		return 0;
	if (want > ring_n - held)
		want = ring_n - held;
	if (!want)
		return 0;
	if ((st = call(read_sql, 2, read_to, (int)want)) != PG_OK)
		return st == PG_RETRY ? 0 : stop(st);
	for (int i = 0; i < pg_rows(&db); i++)
		feed_message(f, i);
	if (looking)
		return pg_rows(&db) ? 0 : 1;
	if ((size_t)pg_rows(&db) < want)
		look_at = now + POLL_MS;
	return 0;
}

static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	(void)ctx, (void)line, (void)len;
	ring[tag].answered = true;
	while (held && ring[head].answered) {
		sent = ring[head].seq;
		head = (head + 1) % ring_n;
		held--;
	}
	return 0;
}

/* A message that ends the relay each time: a person must look. Skipping it here
 * would be a loss that only to-kafka may decide on. */
static int
guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	(void)ctx, (void)f;
	warn("the filter dies on a message: stream=%s seq=%lld: %s", stream, (long long)ring[tag].seq, why->text);
	return -1;
}

static int
mark(int64_t now)
{
	enum pg_status st;

	if (looking || sent == marked)
		return 0;
	st = call(sent_sql, 1, sent, 0);
	mark_at = now + MARK_MS;
	if (st == PG_OK)
		marked = sent;
	return st == PG_OK || st == PG_RETRY ? 0 : stop(st);
}

static int
tick(void *ctx, int *wait_ms)
{
	int64_t now = now_ms(), next = look_at;
	int r = 0;

	(void)ctx;
	if (now >= mark_at)
		r = mark(now);
	if (sent != marked && mark_at < next)
		next = mark_at;
	if (next < now + POLL_MS / 10)
		next = now + POLL_MS / 10;
	if (next - now < *wait_ms)
		*wait_ms = (int)(next - now);
	return r;
}

static void
finish(void *ctx)
{
	(void)ctx;
	mark(now_ms());
}

static enum pg_status
open_ledger(void)
{
	enum pg_status st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);

	if (st == PG_OK)
		st = pg_ledger(&db, 1, ledger, &epoch);
	if (st != PG_OK || !looking)
		return st == PG_OK ? become_live() : st;
	if ((st = call(position_sql, 0, 0, 0)) == PG_OK && pg_rows(&db))
		read_to = pg_i64(&db, 0, 0);
	return st;
}

int
main(int argc, char **argv)
{
	static const struct feed_source source = { .take = take, .answer = answer, .guilty = guilty,
	    .tick = tick, .finish = finish };
	struct feed_opts o = { .window = 500 };
	struct feed *feed;
	enum pg_status st;
	int c, code;

	err_init("from-outbox");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+s:w:t:D:")) != -1)
		switch (c) {
		case 's': stream = optarg; break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, WINDOW_MAX); break;
		case 't': o.deadline_ms = 1000 * arg_ulong("-t", optarg, 1, 86400); break;
		case 'D': o.ready_fd = (int)arg_ulong("-D", optarg, 3, 1023); break;
		default: die_usage(usage);
		}
	ring_n = o.window;
	ring = mem_zalloc(ring_n * sizeof(*ring));
	looking = !argv[optind];
	/* A relay that waits holds nothing: a signal may simply end it. */
	if ((st = open_ledger()) != PG_OK)
		die(pg_exit(st), "%s", db.err);
	feed = feed_open(&o);
	code = feed_run(feed, &source, looking ? NULL : argv + optind);
	feed_free(feed);
	pg_close(&db);
	return code;
}
