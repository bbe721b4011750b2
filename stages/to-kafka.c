/* to-kafka - send what lines ask for to Kafka topics; a line comes back when
 * its message lies there. See docs/to-kafka.1. */
#include <stdlib.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "kafka-stream.h"
#include "stage.h"

static const char usage[] =
    "to-kafka [-x ID] [-b LINES] [-S FILE]\n"
    "\n"
    "Sends the message that each line asks for, {\"topic\",\"key\"?,\"headers\"?,\n"
    "\"value\"}, and passes the line on once Kafka has it. A message that can't be\n"
    "delivered comes back with the error \"undeliverable\".\n"
    "\n"
    "  -x  publish an outbox stream: each line has \"outbox\" and reaches\n"
    "      read_committed readers once; ID is the stream's transactional id\n"
    "  -b  most lines in a batch or transaction (default 1000)\n"
    "  -S  file that says \"ready\" or \"waiting: REASON\"\n";

#define BATCH_BYTES ((size_t)8 << 20)

struct to {
	struct stage s;
	const char *txid;
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

	if (t->txid)
		r = kafka_stream_send(&t->stream, t->post, t->n);
	else
		r = kafka_out_send(t->out, t->post, t->n) < 0 ? -100 : 0;
	if (r < 0) {
		stage_flush(&t->s);
		die(r == -100 ? XPERM : XTEMP, "%s", t->txid ? t->stream.err : kafka_out_why(t->out));
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
	if (r == -2 || (t->txid && !p->outbox)) {
		stage_error(&t->s, "bad_message", false, "%s", r ? p->why : "the line has no outbox member");
		return;
	}
	if (!t->txid && p->outbox)
		die(XPERM, "a line has an outbox member: publishing a stream needs -x");
	p->refused = r < 0;     /* its position still passes */
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

int
main(int argc, char **argv)
{
	static struct to t = { .s = STAGE_INIT, .max = 1000 };
	const char *state = NULL;
	char err[512];
	int c;

	err_init("to-kafka");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+x:b:S:")) != -1)
		switch (c) {
		case 'x': t.txid = optarg; break;
		case 'b': t.max = arg_ulong("-b", optarg, 1, 100000); break;
		case 'S': state = optarg; break;
		default: die_usage(usage);
		}
	if (argv[optind])
		die_usage(usage);
	if (kafka_out_open(&t.out, t.txid, state, err, sizeof(err)) < 0)
		die(XPERM, "%s", err);
	t.stream.out = t.out;
	t.s.settles = true;     /* to answer a batch before waiting behind such lines */
	t.post = mem_zalloc(t.max * sizeof(*t.post));
	t.line = mem_zalloc(t.max * sizeof(*t.line));
	loop(&t);
	release(&t);
	return stage_end(&t.s);
}
