/* from-outbox - feed the outbox's messages to a filter, in order, and mark
 * what was answered as sent. See docs/from-outbox.1. */
#include <getopt.h>
#include <poll.h>
#include <string.h>

#include "arg.h"
#include "err.h"
#include "feed.h"
#include "metrics.h"
#include "now.h"
#include "outbox.h"
#include "rec.h"

enum {
	WINDOW_MAX = 10000, CONNECT_MS = 5000,
	POLL_MS = 100,          /* how often an idle relay looks */
	MARK_MS = 100,          /* how often the mark is moved: each move is a dead row */
	WAIT_MS = 1000,         /* how often a waiting relay asks for the lock */
	WARNINGS = 10
};

static const char usage[] = "from-outbox [-s stream] [-w window] [-t deadline] [-D fd] [-- filter ...]\n\n"
    "Feeds the messages of the ledger's outbox (SLUICE_DB) to a filter, in their order,\n"
    "and marks them as sent up to the first that has not come back. One relay of a\n"
    "stream works, another waits. Without a filter: prints what was not sent yet.\n"
    "  -s stream    whose messages (main)\n"
    "  -w window    most messages in flight (2000)\n"
    "  -t deadline  seconds for the oldest message in flight (300)\n"
    "  -D fd        write a newline to it when ready\n";

static struct pg db = PG_INIT;
static struct outbox box;
static bool looking;            /* without a filter: change nothing */
static int64_t look_at, mark_at;
static uint64_t *published, *undeliverable, *lag;

static int
stop(enum pg_status st)
{
	warn("%s", db.err);
	return pg_exit(st) == XPERM ? -100 : -1;
}

/* Waits until this is the live relay. Before the filter starts: to-kafka's
 * first act fences the producer of the relay that works. */
static enum pg_status
become_live(void)
{
	enum pg_status st;
	bool live;

	for (bool said = false;; said = true) {
		if ((st = outbox_lock(&box, &live)) != PG_OK)
			return st;
		if (live)
			break;
		if (!said)
			info("another relay works, waiting: stream=%s", box.stream);
		poll(NULL, 0, WAIT_MS);
	}
	if ((st = outbox_open(&box)) == PG_OK)  /* what the other one has marked since */
		info("relaying: stream=%s ledger=%s epoch=%d sent=%lld", box.stream, box.ledger, box.epoch,
		    (long long)box.sent);
	return st;
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	static struct buf line = BUF_INIT;
	int64_t now = now_ms();
	enum pg_status st;
	size_t tag;

	(void)ctx;
	if (now < look_at || box.held == box.ring_n)
		return 0;
	if ((st = outbox_read(&box, want)) != PG_OK)
		return st == PG_RETRY ? 0 : stop(st);
	for (int i = 0; i < pg_rows(&db); i++) {
		line.len = 0;
		tag = outbox_line(&box, i, &line);
		feed_put(f, tag, line.p, line.len);
	}
	if (pg_rows(&db) == 0)
		look_at = now + POLL_MS;
	return looking && pg_rows(&db) == 0;
}

/* Why the message was not sent, whoever in the filter says so; NULL when it was. */
static const char *
refusal(const char *line, size_t len)
{
	static struct rec r = REC_INIT, e = REC_INIT;
	static struct buf why = BUF_INIT;
	const struct rec_member *m;

	if (!memmem(line, len, "\"error\"", 7) || rec_parse(&r, line, len) != REC_OK || !(m = rec_get(&r, "error")))
		return NULL;
	why.len = 0;
	if (m->type != '{' || rec_parse(&e, m->val, m->val_len) != REC_OK || rec_str(rec_get(&e, "message"), &why) < 0)
		buf_adds(&why, "no reason given");
	return buf_str(&why);
}

static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	const char *why = refusal(line, len);

	(void)ctx;
	if (why) {
		if (++*undeliverable <= WARNINGS)
			warn("can't be delivered: stream=%s seq=%lld: %s", box.stream,
			    (long long)box.ring[tag].seq, why);
	} else {
		++*published;
	}
	outbox_answered(&box, tag, why);
	return 0;
}

/* A message that ends the relay each time: a person must look. Skipping it here
 * would be a loss that only to-kafka may decide on. */
static int
guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	(void)ctx, (void)f;
	if (why->code == XPERM) {
		warn("the filter refuses to go on, see its own message above: %s", why->text);
		return -100;
	}
	warn("the filter dies on a message: stream=%s seq=%lld: %s", box.stream,
	    (long long)box.ring[tag].seq, why->text);
	return -1;
}

static int
mark(int64_t now)
{
	enum pg_status st = looking ? PG_OK : outbox_mark(&box);

	mark_at = now + MARK_MS;
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
	*lag = box.head > box.sent ? (uint64_t)(box.head - box.sent) : 0;
	if (box.sent != box.marked && mark_at < next)
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
		st = outbox_open(&box);
	return st == PG_OK && !looking ? become_live() : st;
}

int
main(int argc, char **argv)
{
	static const struct feed_source source = { .take = take, .answer = answer, .guilty = guilty,
	    .tick = tick, .finish = finish };
	struct feed_opts o = { .window = 2000 };
	const char *stream = "main";
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
		case 'D': o.ready_fd = arg_fd("-D", optarg); break;
		default: die_usage(usage);
		}
	looking = !argv[optind];
	published = metrics_value("outbox_published_total");
	undeliverable = metrics_value("outbox_undeliverable_total");
	lag = metrics_value("outbox_lag");
	outbox_init(&box, &db, stream, o.window);
	/* A relay that waits holds nothing: a signal may simply end it. */
	if ((st = open_ledger()) != PG_OK)
		die(pg_exit(st), "%s", db.err);
	feed = feed_open(&o);
	code = feed_run(feed, &source, looking ? NULL : argv + optind);
	feed_free(feed);
	outbox_release(&box);
	pg_close(&db);
	return code;
}
