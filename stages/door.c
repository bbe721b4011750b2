/* door - lines of a stranger through a filter, one answer for each. See docs/door.1. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "arg.h"
#include "asked.h"
#include "death.h"
#include "err.h"
#include "feed.h"
#include "ndjson.h"
#include "pour.h"
#include "request.h"

static const char usage[] = "door [-t seconds] [-w window] -- filter ...\n\n"
    "Feeds requests of somebody who waits for the answer to a filter that admits\n"
    "them, and answers each, in order, with what became of it. A record that the\n"
    "filter dies on is answered so and harms no other.\n\n"
    "  -t seconds  most time for a record (20)\n"
    "  -w window   most records in the filter at once (500)\n";

enum { ROOM = 64 << 10, AHEAD = 4096, LINGER_MS = 5000 };
#define POUR_MAX ((size_t)4 << 20)      /* bytes of answers that wait for the asker */
#define LINE_MAX_IN (RECORD_MAX - 4096) /* stages add to it */

static const char probe[] = "{\"job_id\":\"probe\",\"probe\":true,\"error\":{\"stage\":\"door\","
    "\"code\":\"probe\",\"message\":\"pass this on\",\"retry\":false}}";

struct door {
	const char *filter;
	struct in in;
	struct pour pour;
	struct askeds asked;
	bool ended, torn;
	bool starved;           /* there was too much to be written to take more */
	struct rec rec;
};

static void
refuse(struct asked *a, const char *code, const char *message, const char *member)
{
	static struct buf admit;

	answer_reject(&admit, code, message, strlen(message), false, member);
	asked_settle(a, &admit);
}

/* A dead letter to be fed again. Its request may bear another job_id. */
static void
put_dead(struct feed *f, struct asked *a, const struct rec *r)
{
	static const struct rec_change no_job = { "job_id", NULL, 0 };
	static struct buf line;

	line.len = 0;
	rec_edit(&line, r, &no_job, 1);
	feed_put(f, (uint64_t)(uintptr_t)a, line.p, line.len);
}

/* Takes one line; true when it went into the filter. */
static bool
put(struct door *d, struct feed *f, const char *line, size_t len)
{
	struct asked *a = asked_new(&d->asked);
	enum rec_status st = rec_parse(&d->rec, line, len);
	const struct rec_member *mark;
	bool asks = false;
	char text[128];

	if (st != REC_OK) {
		snprintf(text, sizeof(text), "%s at byte %zu", rec_reason(st), d->rec.at);
		refuse(a, rec_code(st), text, NULL);
		return false;
	}
	asked_who(a, &d->rec);
	mark = rec_get(&d->rec, "refeed");
	a->probe = d->rec.n == 1 && rec_bool(rec_get(&d->rec, "probe"), &asks) == 0 && asks;
	if (a->probe) {
		feed_put(f, (uint64_t)(uintptr_t)a, probe, sizeof(probe) - 1);
		return true;
	}
	if (mark && mark->type == '{') {
		put_dead(f, a, &d->rec);
		return true;
	}
	for (size_t i = 0; i < d->rec.n; i++)
		if (request_reserved(&d->rec.m[i])) {
			snprintf(text, sizeof(text), "/%.*s", (int)(d->rec.m[i].key_len < 60 ? d->rec.m[i].key_len : 60),
			    d->rec.m[i].key);
			refuse(a, "bad_request", "it has a member that belongs to the stages", text);
			return false;
		}
	feed_put(f, (uint64_t)(uintptr_t)a, line, len);
	return true;
}

static bool
full(const struct door *d)
{
	return d->asked.n >= AHEAD || d->pour.b.len >= POUR_MAX;
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	struct door *d = ctx;
	const char *line;
	size_t len;

	while (want && !d->ended && !full(d) && !feed_full(f) && (in_buffered(&d->in) || readable(d->in.fd)))
		switch (in_rec(&d->in, &line, &len)) {
		case IN_REC: want -= put(d, f, line, len); break;
		case IN_LONG: refuse(asked_new(&d->asked), "too_large", "the record is longer than 16 MiB less 4 KiB", NULL); break;
		case IN_TORN: d->torn = true; /* fall through */
		case IN_EOF: d->ended = true; break;
		case IN_ERR:
		case IN_WERR:
			if (errno == EAGAIN)
				return 0;
			warn_sys("read stdin");
			return -1;
		}
	d->starved = want && full(d);
	return d->ended;
}

/* What the filter says of it, or that it says nothing. */
static int
answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	struct door *d = ctx;
	struct asked *a = (struct asked *)(uintptr_t)tag;
	static struct buf admit;
	const struct rec_member *m;

	if (rec_parse(&d->rec, line, len) != REC_OK || (!(m = rec_get(&d->rec, "admit")) && !a->probe)) {
		refuse(a, "not_admitted", "the intake passed it on without admitting it", NULL);
		return 0;
	}
	if (!a->probe) {
		asked_who(a, &d->rec);
		admit.len = 0;
		buf_add(&admit, m->val, m->val_len);
	}
	asked_settle(a, &admit);
	return 0;
}

/* A signal that a program brings upon itself, by the exit status of a pipeline or of one stage.
 * Any other end may have come from outside: a ledger that can only be read, a full disk, a KILL. */
static bool
at_fault(const struct feed_death *why)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS, SIGTRAP };
	int signal = why->signal ? why->signal : why->code - 128;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (signal == own[i])
			return true;
	return false;
}

static int
guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	static struct buf error, code, message, admit;
	static struct rec e;
	struct door *d = ctx;
	bool retry = false;
	size_t len = 0;
	const char *said = feed_log(f, tag, &len);

	death_error(&error, d->filter, why, false, said, len);
	code.len = message.len = 0;
	if (rec_parse(&e, error.p, error.len) != REC_OK)
		die(XBUG, "an error of our own is no record");
	rec_str(rec_get(&e, "code"), &code);
	rec_str(rec_get(&e, "message"), &message);
	rec_bool(rec_get(&e, "retry"), &retry);
	if (why->why == FEED_ENDED)
		retry = !at_fault(why);
	answer_reject(&admit, buf_str(&code), message.p, message.len, retry, NULL);
	asked_settle((struct asked *)(uintptr_t)tag, &admit);
	return 0;
}

static int
tick(void *ctx, int *wait_ms)
{
	struct door *d = ctx;

	asked_out(&d->asked, &d->pour.b);
	if (pour_some(&d->pour) == 0) {
		if (d->starved && !full(d)) {
			d->starved = false;
			*wait_ms = 0;
		}
		return 0;
	}
	warn_sys("write stdout");
	return -1;
}

static int
wants_in(void *ctx)
{
	const struct door *d = ctx;

	return d->ended || full(d) ? -1 : d->in.fd;
}

static int
wants_out(void *ctx)
{
	const struct door *d = ctx;

	return d->pour.b.len ? d->pour.fd : -1;
}

/* A socket is ours alone, so it may stop blocking for us. */
static void
no_wait(int fd)
{
	struct stat st;
	int flags;

	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && (flags = fcntl(fd, F_GETFL)) >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* The last answers, for as long as somebody reads them. */
static int
pour_rest(struct pour *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLOUT };

	while (p->b.len)
		if (pour_some(p) < 0 || (p->b.len && poll(&fd, 1, LINGER_MS) <= 0))
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct door d = { .in = IN_INIT(0, LINE_MAX_IN, NULL), .rec = REC_INIT };
	const struct feed_source src = { .ctx = &d, .take = take, .answer = answer, .guilty = guilty,
	    .tick = tick, .fd = wants_in, .fd_out = wants_out };
	struct feed_opts o = { .window = 500, .deadline_ms = 20000, .grace_ms = 10000, .max = RECORD_MAX + ROOM };
	struct feed *f;
	int c, code;

	err_init("door");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+t:w:")) != -1)
		switch (c) {
		case 't': o.deadline_ms = (unsigned long)(arg_double("-t", optarg, 0.001, 1e6) * 1000); break;
		case 'w': o.window = arg_ulong("-w", optarg, 1, 100000); break;
		default: die_usage(usage);
		}
	if (!argv[optind])
		die_usage(usage);
	d.filter = basename(argv[optind]);
	o.least = o.window;
	no_wait(0);
	no_wait(1);
	d.in.fd = pour_reopen(0, O_RDONLY);
	pour_open(&d.pour, 1);
	f = feed_open(&o);
	code = feed_run(f, &src, argv + optind);
	asked_out(&d.asked, &d.pour.b);
	if (pour_rest(&d.pour) < 0)
		die_sys(XTEMP, "write stdout");
	feed_free(f);
	if (code == 0 && d.torn)
		die(XTEMP, "input ends inside a record, without a line feed");
	return code;
}
