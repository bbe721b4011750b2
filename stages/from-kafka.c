/* from-kafka - feed the messages of Kafka topics to a filter. See
 * docs/from-kafka.1. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "blob.h"
#include "err.h"
#include "feed.h"
#include "json.h"
#include "kafka-in.h"
#include "kafka-line.h"
#include "kafka-text.h"
#include "ndjson.h"

static const char usage[] =
    "from-kafka -t TOPIC[,TOPIC...] [-g GROUP] [-i INSTANCE] [-o START] [-u UNTIL] [-p PARTITION] [-n COUNT] [-e] [-c] [-w WINDOW] [-T DEADLINE] [-l MAX] [-D FD] [-S FILE] [-- FILTER ...]\n"
    "\n"
    "Feeds the messages of Kafka topics to FILTER, one record a line, and commits\n"
    "the position of those whose line came back. Without FILTER prints them and\n"
    "commits nothing.\n"
    "\n"
    "  -t  the topics (default SLUICE_TOPICS)\n"
    "  -g  the consumer group (default sluice; only with FILTER)\n"
    "  -i  this member's fixed name in the group: a restart keeps its partitions\n"
    "  -o  where to start without a committed position: beginning (default), end,\n"
    "      an offset, or @MS: a time in milliseconds since 1970\n"
    "  -u  stop before this offset, or before the first message of @MS or later\n"
    "  -p  this partition alone (without FILTER)\n"
    "  -c  print messages as they are, to the byte: what to-kafka sends again\n"
    "  -n  stop after this many records\n"
    "  -e  stop at the end of the topics\n"
    "  -w  most records in flight (default 500)\n"
    "  -T  seconds that FILTER may take for a record (default 300)\n"
    "  -l  longest record in bytes (default 16M)\n"
    "  -D  file descriptor that gets a newline once partitions are assigned\n"
    "  -S  file that says \"ready\" or \"waiting: REASON\"\n";

enum { STDERR_TAIL = 2048, WARNINGS = 10,
	TEMP_TRIES = 5 /* how often a record is fed again that the filter ends on with 111 */
};

struct from {
	struct kafka_in *in;
	struct kafka_line line;
	struct buf out;
	struct kafka_rec **crashed;     /* fed again in base64 */
	size_t n_crashed;
	uint64_t seen, answered, wrapped;
	uint64_t count;         /* 0: no end */
	bool capture;
	int ready_fd;
};

/* The bytes of a message that no line can carry. */
static int
keep(void *ctx, const void *p, size_t len, char hex[65])
{
	struct blob *b = ctx;

	if (blob_put(b, p, len, hex) == 0)
		return 0;
	warn("keep %zu bytes as a blob: %s", len, blob_why());
	return -1;
}

static int
failed(struct from *s)
{
	warn("%s", kafka_in_why(s->in));
	return -1;
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	struct from *s = ctx;
	struct kafka_rec *rec;
	const char *code;

	for (; want && !feed_full(f) && !(s->count && s->seen == s->count); want--) {
		int r = kafka_in_next(s->in, &rec);

		if (r < 0)
			return failed(s);
		if (r == 0)
			return kafka_in_ended(s->in);
		s->seen++;
		s->line.cluster = kafka_in_cluster(s->in);
		s->out.len = 0;
		code = NULL;
		if (s->capture)
			kafka_text_envelope(&s->out, &rec->msg);
		else
			code = kafka_line(&s->line, &rec->msg, &s->out);
		if (code && s->wrapped++ < WARNINGS)
			warn("bad record: code=%s topic=%s partition=%" PRId32 " offset=%" PRId64,
			    code, rec->msg.topic, rec->msg.partition, rec->msg.offset);
		feed_put(f, (uintptr_t)rec, s->out.p, s->out.len);
	}
	return s->count && s->seen == s->count;
}

static struct kafka_rec **
find_crashed(struct from *s, const struct kafka_rec *rec)
{
	for (size_t i = 0; i < s->n_crashed; i++)
		if (s->crashed[i] == rec)
			return &s->crashed[i];
	return NULL;
}

static int
answered(void *ctx, uint64_t tag, const struct rec *r)
{
	struct from *s = ctx;
	struct kafka_rec *rec = (struct kafka_rec *)(uintptr_t)tag, **c = find_crashed(s, rec);

	(void)r;
	if (c)
		*c = s->crashed[--s->n_crashed];
	s->answered++;
	kafka_in_done(s->in, rec);
	return 0;
}

/* The filter says that it cannot work now (a full disk: a probe needs no room)
 * or at all (a gap in the source): then it is not this record's fault. */
static int
not_its_fault(struct from *s, struct feed *f, struct kafka_rec *rec, const struct feed_death *why)
{
	if (why->code == XPERM) {
		warn("the filter refuses to go on, see its own message above: %s", why->text);
		return -100;
	}
	if (why->code != XTEMP || rec->tries++ >= TEMP_TRIES)
		return 0;
	s->out.len = 0;
	kafka_line(&s->line, &rec->msg, &s->out);
	feed_put(f, (uintptr_t)rec, s->out.p, s->out.len);
	return 1;
}

/* It goes again as bytes that nobody parses, so that whoever settles can keep
 * it. When that kills too, the filter is at fault and nothing may pass. */
static int
guilty(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why)
{
	struct from *s = ctx;
	struct kafka_rec *rec = (struct kafka_rec *)(uintptr_t)tag;
	const struct kafka_msg *m = &rec->msg;
	static struct buf more = BUF_INIT;
	size_t tail = why->err_len < STDERR_TAIL ? why->err_len : STDERR_TAIL;
	char message[256];
	int r = not_its_fault(s, f, rec, why);

	if (r)
		return r < 0 ? r : 0;
	if (find_crashed(s, rec)) {
		warn("the filter ends even on the wrapped record: topic=%s partition=%" PRId32
		    " offset=%" PRId64 ": %s: mend the filter, or move the group past it",
		    m->topic, m->partition, m->offset, why->text);
		return -1;
	}
	warn("the filter ends on a record: topic=%s partition=%" PRId32 " offset=%" PRId64 ": %s",
	    m->topic, m->partition, m->offset, why->text);
	s->crashed = mem_array(s->crashed, s->n_crashed + 1, sizeof(*s->crashed));
	s->crashed[s->n_crashed++] = rec;
	snprintf(message, sizeof(message), "the filter ended on this record: %s", why->text);
	more.len = 0;
	buf_adds(&more, ",\"stderr\":");
	json_quote(&more, why->err + (why->err_len - tail), tail);
	s->wrapped++;
	s->out.len = 0;
	kafka_wrap(&s->line, m, "crashed", message, buf_str(&more), &s->out);
	feed_put(f, tag, s->out.p, s->out.len);
	return 0;
}

static int
tick(void *ctx, int *wait_ms)
{
	struct from *s = ctx;

	if (kafka_in_tick(s->in, wait_ms) < 0)
		return failed(s);
	if (s->ready_fd >= 0 && kafka_in_ready(s->in)) {
		if (write(s->ready_fd, "\n", 1) != 1)
			warn_sys("say that we are ready");
		close(s->ready_fd);
		s->ready_fd = -1;
	}
	return 0;
}

static void
finish(void *ctx)
{
	struct from *s = ctx;

	info("done: seen=%" PRIu64 " answered=%" PRIu64 " wrapped=%" PRIu64 " lag=%" PRId64,
	    s->seen, s->answered, s->wrapped, kafka_in_lag(s->in));
	kafka_in_close(s->in);
}

static int
source_fd(void *ctx)
{
	struct from *s = ctx;

	return kafka_in_fd(s->in);
}

/* An offset, a name of one, or @MS. */
static int64_t
at(const char *opt, const char *arg, bool *is_time)
{
	*is_time = arg[0] == '@';
	if (opt[1] == 'o' && strcmp(arg, "beginning") == 0)
		return KAFKA_BEGINNING;
	if (opt[1] == 'o' && strcmp(arg, "end") == 0)
		return KAFKA_END;
	return (int64_t)arg_ulong(opt, arg + *is_time, opt[1] == 'u', INT64_MAX);
}

static int
run(struct from *s, const struct feed_opts *fo, const struct kafka_in_opts *o, char **argv)
{
	static const struct feed_source src = {
		.take = take, .answered = answered, .guilty = guilty, .tick = tick, .finish = finish,
		.fd = source_fd
	};
	struct feed_source with = src;
	struct feed *f = feed_open(fo);
	const char *blobs = arg_env("SLUICE_BLOBS", "");
	static struct blob blob = BLOB_INIT;
	char err[512];
	int code;

	if (*blobs && argv) {
		if (blob_open(&blob, blobs) < 0)
			die(errno == EINVAL ? XPERM : XTEMP, "SLUICE_BLOBS: %s: %s", blobs, blob_why());
		s->line.keep = keep;
		s->line.ctx = &blob;
	}
	if ((code = kafka_in_open(&s->in, o, err, sizeof(err))) < 0)
		die(code == -2 ? XTEMP : XPERM, "%s", err);
	with.ctx = s;
	code = feed_run(f, &with, argv);
	feed_free(f);
	kafka_line_release(&s->line);
	return code;
}

int
main(int argc, char **argv)
{
	static struct from s = { .line = { .max = RECORD_MAX }, .ready_fd = -1 };
	struct kafka_in_opts o = { .start = KAFKA_BEGINNING, .partition = -1 };
	struct feed_opts fo = { 0 };
	int c;

	err_init("from-kafka");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+t:g:i:o:u:p:n:ecw:T:l:D:S:")) != -1)
		switch (c) {
		case 't': o.topics = optarg; break;
		case 'g': o.group = optarg; break;
		case 'i': o.instance = optarg; break;
		case 'o': o.start = at("-o", optarg, &o.start_time); break;
		case 'u': o.until = at("-u", optarg, &o.until_time); break;
		case 'p': o.partition = (int64_t)arg_ulong("-p", optarg, 0, INT32_MAX); break;
		case 'c': s.capture = true; break;
		case 'n': s.count = arg_ulong("-n", optarg, 1, UINT32_MAX); break;
		case 'e': o.until_end = true; break;
		case 'w': fo.window = arg_ulong("-w", optarg, 1, 1000000); break;
		case 'T': fo.deadline_ms = 1000 * arg_ulong("-T", optarg, 1, 86400); break;
		case 'l': s.line.max = arg_ulong("-l", optarg, 8192, RECORD_MAX); break;
		case 'D': s.ready_fd = arg_fd("-D", optarg); break;
		case 'S': o.state = optarg; break;
		default: die_usage(usage);
		}
	argv += optind;
	if (!o.topics)
		o.topics = arg_env("SLUICE_TOPICS", "");
	if (!*o.topics || (argv[0] ? s.capture || o.partition >= 0 : o.instance != NULL))
		die_usage(usage);
	s.line.plain = !argv[0];
	if (!argv[0])
		o.group = NULL;
	else if (!o.group)
		o.group = "sluice";
	return run(&s, &fo, &o, argv[0] ? argv : NULL);
}
