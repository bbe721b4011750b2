/* wiretest - lines of stdin over a wire, each as soon as it may go; prints "TAG ANSWER" for
 * each, TAG counting from 0, "lost" where there is none, and at the end how the wire
 * stood. Never more than -n in it; -r: no line goes before it is ready; -t ms: of an answer;
 * -i ms: until a probe; -l bytes: of a line; -k ms: after the last answer it stays so long.
 * 	wiretest [-r] [-n lines] [-b bytes] [-t ms] [-i ms] [-l bytes] [-k ms] socket */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "ndjson.h"
#include "now.h"
#include "wire.h"

static uint64_t answered, lost, next, full, refused;
static uint64_t last = UINT64_MAX;

static void
on_answer(void *ctx, uint64_t tag, const char *line, size_t len)
{
	(void)ctx;
	if (tag != last + 1)
		die(XBUG, "answer %llu after %llu", (unsigned long long)tag, (unsigned long long)last);
	last = tag;
	answered++;
	lost += !line;
	if (!line)
		printf("%llu lost\n", (unsigned long long)tag);
	else if (len > 200)
		printf("%llu %zu bytes\n", (unsigned long long)tag, len);
	else
		printf("%llu %.*s\n", (unsigned long long)tag, (int)len, line);
	fflush(stdout);
}

static void
turn(struct wire *w)
{
	struct pollfd p = { .fd = wire_fd(w), .events = POLLIN };

	if (poll(&p, 1, wire_wait_ms(w, now_ms())) < 0)
		die_sys(XTEMP, "poll");
	wire_turn(w, now_ms());
}

/* Sends until it is taken. */
static void
offer(struct wire *w, const char *line, size_t len, bool ready)
{
	for (;;) {
		enum wire_sent s = ready && wire_state(w) != WIRE_READY ? WIRE_NOT_THERE : wire_send(w, line, len, next);

		if (s == WIRE_SENT) {
			next++;
			return;
		}
		if (s == WIRE_TOO_LONG) {
			refused++;
			return;
		}
		full += s == WIRE_FULL;
		turn(w);
	}
}

int
main(int argc, char **argv)
{
	static struct in in = IN_INIT(0, 64 << 20, NULL);
	struct wire_opts o = { .answer = on_answer };
	struct wire *w;
	const char *line;
	size_t len;
	bool ready = false;
	long keep = 0;
	int64_t until;
	int c;

	err_init("wiretest");
	while ((c = getopt(argc, argv, "+rn:b:t:i:l:k:")) != -1)
		switch (c) {
		case 'r': ready = true; break;
		case 'n': o.lines_max = arg_ulong("-n", optarg, 1, 1000000); break;
		case 'b': o.bytes_max = arg_ulong("-b", optarg, 1, 1UL << 40); break;
		case 't': o.deadline_ms = arg_ulong("-t", optarg, 1, 1000000); break;
		case 'i': o.idle_ms = arg_ulong("-i", optarg, 1, 1000000); break;
		case 'l': o.line_max = arg_ulong("-l", optarg, 1, 1UL << 40); break;
		case 'k': keep = (long)arg_ulong("-k", optarg, 0, 1000000); break;
		default: die_usage("wiretest socket");
		}
	o.path = argv[optind];
	w = wire_open(&o);
	if (!w)
		die_sys(XTEMP, "wire_open");
	while (in_rec(&in, &line, &len) == IN_REC)
		offer(w, line, len, ready);
	while (wire_waiting(w) && answered < next)
		turn(w);
	until = now_ms() + keep;
	while (now_ms() < until)
		turn(w);
	if (answered != next)
		die(XBUG, "%llu sent, %llu answered", (unsigned long long)next, (unsigned long long)answered);
	printf("end: sent=%llu lost=%llu refused=%llu full=%d state=%d why=%s\n", (unsigned long long)next,
	    (unsigned long long)lost, (unsigned long long)refused, full > 0, wire_state(w), wire_why(w));
	wire_close(w);
	free(in.b.p);
	return 0;
}
