/* to-kafka - send what lines ask for to Kafka topics; a line comes back when
 * its message lies there. See docs/to-kafka.1. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "kafka-stream.h"
#include "stage.h"

static const char usage[] =
    "to-kafka [-x ID] [-b LINES] [-p SPREAD] [-t TOPIC] [-l MAX] [-S FILE]\n"
    "\n"
    "Sends the message that each line asks for, {\"topic\",\"key\"?,\"headers\"?,\n"
    "\"value\"}, and passes the line on once Kafka has it. A message that can't be\n"
    "delivered comes back with the error \"undeliverable\". Lines captured by\n"
    "from-kafka -c are sent as they were: partition, time and bytes.\n"
    "\n"
    "  -x  publish an outbox stream: each line has \"outbox\" and reaches\n"
    "      read_committed readers once; ID is the stream's transactional id\n"
    "  -b  most lines in a batch or transaction (default 1000)\n"
    "  -p  how partitions are chosen: key (default), round-robin, sticky, or\n"
    "      priority[:HIGH,MEDIUM,LOW] (per cent of the partitions; 50,30,20)\n"
    "  -t  send all to this topic\n"
    "  -l  longest line in bytes (default 16M)\n"
    "  -S  file that says \"ready\" or \"waiting: REASON\"\n";

#define BATCH_BYTES ((size_t)8 << 20)

struct to {
	struct stage s;
	struct kafka_out_opts o;
	const char *topic;              /* -t */
	struct kafka_out *out;
	struct kafka_stream stream;
	struct kafka_post *post;        /* a batch */
	struct buf *line;               /* the bytes of each */
	size_t n, max, bytes;
};

static void
answer(struct to *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct kafka_post *p = &t->post[i];

		if (p->refused)
			stage_error_rec(&t->s, &p->rec, "undeliverable", false, 0, p->why);
		else
			stage_emit(&t->s, t->line[i].p, t->line[i].len);
		if (t->line[i].cap > (1 << 16))
			buf_free(&t->line[i]);
	}
	t->n = t->bytes = 0;
}

static void
send_batch(struct to *t)
{
	int r;

	if (t->o.txid)
		r = kafka_stream_send(&t->stream, t->post, t->n);
	else
		r = kafka_out_send(t->out, t->post, t->n) < 0 ? -100 : 0;
	if (r < 0) {
		stage_flush(&t->s);
		die(r == -100 ? XPERM : XTEMP, "%s", t->o.txid ? t->stream.err : kafka_out_why(t->out));
	}
	answer(t);
}

/* The current record into the batch. */
static void
add(struct to *t)
{
	struct kafka_post *p = &t->post[t->n];
	struct buf *line = &t->line[t->n];
	int r;

	line->len = 0;
	buf_add(line, t->s.rec.p, t->s.rec.len);
	if (rec_parse(&p->rec, line->p, line->len) != REC_OK)
		die(XBUG, "a copy of a record is none");
	r = kafka_post(p, &p->rec);
	if (r == -2 || (t->o.txid && !p->outbox)) {
		stage_error(&t->s, "bad_message", false, "%s", r ? p->why : "the line has no outbox member");
		return;
	}
	if (!t->o.txid && p->outbox)
		die(XPERM, "a line has an outbox member: publishing a stream needs -x");
	p->refused = r < 0;     /* its position still passes */
	if (t->topic)
		p->msg.topic = t->topic;
	t->n++;
	t->bytes += line->len;
}

static void
loop(struct to *t)
{
	while (stage_next(&t->s)) {
		if (rec_get(&t->s.rec, "error") || rec_get(&t->s.rec, "wait"))
			stage_pass(&t->s);
		else
			add(t);
		if (t->n && (t->n == t->max || t->bytes >= BATCH_BYTES || !stage_ready(&t->s)))
			send_batch(t);
	}
	if (t->n)
		send_batch(t);
}

static void
release(struct to *t)
{
	for (size_t i = 0; i < t->max; i++) {
		kafka_post_release(&t->post[i]);
		buf_free(&t->line[i]);
	}
	free(t->post);
	free(t->line);
	buf_free(&t->stream.key);
	buf_free(&t->stream.value);
	kafka_out_close(t->out);
}

static void
spread(struct kafka_out_opts *o, char *arg)
{
	static const struct {
		const char *name;
		enum kafka_spread spread;
	} known[] = {
		{ "key", KAFKA_BY_KEY }, { "round-robin", KAFKA_ROUND_ROBIN },
		{ "sticky", KAFKA_STICKY }, { "priority", KAFKA_BY_PRIORITY }
	};
	char *shares = strchr(arg, ':'), *part;
	unsigned sum = 0;

	if (shares)
		*shares++ = '\0';
	for (size_t i = 0;; i++) {
		if (i == sizeof(known) / sizeof(known[0]))
			die(XPERM, "-p %s: not key, round-robin, sticky or priority", arg);
		o->spread = known[i].spread;
		if (strcmp(arg, known[i].name) == 0)
			break;
	}
	if (!shares)
		return;
	for (size_t i = 0; i < 3; i++, sum += o->share[i - 1]) {
		part = strsep(&shares, ",");
		if (!part)
			die(XPERM, "-p %s: needs three shares", arg);
		o->share[i] = (unsigned char)arg_ulong("-p", part, 1, 98);
	}
	if (o->spread != KAFKA_BY_PRIORITY || shares || sum != 100)
		die(XPERM, "-p: shares are priority's, three, and make 100 together");
}

int
main(int argc, char **argv)
{
	static struct to t = { .s = STAGE_INIT, .max = 1000, .o.share = { 50, 30, 20 } };
	char err[512];
	int c;

	err_init("to-kafka");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+x:b:p:t:l:S:")) != -1)
		switch (c) {
		case 'x': t.o.txid = optarg; break;
		case 'b': t.max = arg_ulong("-b", optarg, 1, 100000); break;
		case 'p': spread(&t.o, optarg); break;
		case 't': t.topic = optarg; break;
		case 'l': t.s.in.max = arg_ulong("-l", optarg, 8192, 256 << 20); break;
		case 'S': t.o.state = optarg; break;
		default: die_usage(usage);
		}
	if (argv[optind])
		die_usage(usage);
	if ((c = kafka_out_open(&t.out, &t.o, err, sizeof(err))) < 0)
		die(c == -2 ? XTEMP : XPERM, "%s", err);
	t.stream.out = t.out;
	t.s.settles = true;     /* to answer a batch before waiting behind such lines */
	t.post = mem_zalloc(t.max * sizeof(*t.post));
	t.line = mem_zalloc(t.max * sizeof(*t.line));
	loop(&t);
	release(&t);
	return stage_end(&t.s);
}
