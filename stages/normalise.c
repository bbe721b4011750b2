/* normalise - older forms of requests as requests of today. See docs/normalise.1. */
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "normal.h"
#include "stage.h"

static const char usage[] = "normalise [-l maxbytes]\n"
    "\n"
    "Turns requests in the older envelope (\"job_request\") and documents in \"item\"\n"
    "into requests of today, and events of documents (\"stage\": \"postpdf\") into\n"
    "requests that map them; every other line passes as it is. The bytes that a\n"
    "request had stay with it in \"kafka\".\n"
    "\n"
    "  -l maxbytes  the longest record (default 16M)\n";

static struct stage s = STAGE_INIT;

static void
pass_on(void)
{
	static const struct rec_change drop[] = { { "kafka", NULL, 0 }, { "feed", NULL, 0 } };
	static struct buf line, original, kafka, out;
	static struct rec r;
	struct rec_change c = { .name = "kafka" };
	const struct rec_member *k = rec_get(&s.rec, "kafka");

	line.len = original.len = kafka.len = out.len = 0;
	if ((!normal_request(&line, &s.rec) && !normal_event(&line, &s.rec)) || rec_parse(&r, line.p, line.len) != REC_OK) {
		stage_pass(&s);
		return;
	}
	rec_edit(&original, &s.rec, drop, 2);
	if (normal_kafka(&kafka, k, &original)) {
		c.val = kafka.p;
		c.len = kafka.len;
	} else if (k) {
		c.val = k->val;
		c.len = k->val_len;
	}
	rec_edit(&out, &r, &c, 1);
	stage_emit(&s, out.p, out.len);
}

int
main(int argc, char **argv)
{
	int c;

	err_init("normalise");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:")) != -1)
		switch (c) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	while (stage_next(&s))
		pass_on();
	return stage_end(&s);
}
