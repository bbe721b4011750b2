/* gate - lets jobs wait until somebody opens. See docs/gate.1. */
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "json.h"
#include "stage.h"

enum { TIMEOUT_S = 900, TIMEOUT_MAX_S = 366 * 86400, NAME_MAX_LEN = 128 };

static const char usage[] = "gate [-l maxbytes] [-t seconds] name\n"
    "\n"
    "Adds \"wait\" to each job, so that it waits in the ledger until the gate of that\n"
    "name is opened for it (sluice open JOB_ID NAME). A job that the gate was opened\n"
    "for passes.\n"
    "\n"
    "  -t seconds   how long a job waits before it fails (default 900)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_GATES_OPEN lists gates that stand open, separated by ','.\n";

static struct stage s = STAGE_INIT;

/* The operator's setting names it. */
static bool
stands_open(const char *name)
{
	const char *p = arg_env("SLUICE_GATES_OPEN", "");
	size_t len = strlen(name), n;

	for (; *p; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n == len && memcmp(p, name, n) == 0)
			return true;
	}
	return false;
}

static bool
opened(const char *name)
{
	static struct rec gates = REC_INIT;
	const struct rec_member *m = rec_get(&s.rec, "gates");

	return m && m->type == '{' && rec_parse(&gates, m->val, m->val_len) == REC_OK &&
	    rec_is(rec_get(&gates, name), "open");
}

int
main(int argc, char **argv)
{
	static struct buf wait;
	struct rec_change c = { .name = "wait" };
	unsigned long timeout_s = TIMEOUT_S;
	bool open;
	int o;

	err_init("gate");
	arg_help(argc, argv, usage);
	while ((o = getopt(argc, argv, "+l:t:")) != -1)
		switch (o) {
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 't': timeout_s = arg_ulong("-t", optarg, 1, TIMEOUT_MAX_S); break;
		default: die_usage(usage);
		}
	if (argc - optind != 1)
		die_usage(usage);
	argv += optind;
	if (strspn(*argv, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") != strlen(*argv) ||
	    !**argv || strlen(*argv) > NAME_MAX_LEN)
		die(XPERM, "a gate's name is 1 to %d of A-Za-z0-9._:-", NAME_MAX_LEN);
	buf_addf(&wait, "{\"gate\":\"%s\",\"timeout_s\":%lu}", *argv, timeout_s);
	c.val = wait.p;
	c.len = wait.len;
	open = stands_open(*argv);
	while (stage_next(&s)) {
		if (open || rec_get(&s.rec, "chunk") || opened(*argv))
			stage_pass(&s);
		else
			stage_edit(&s, &c, 1);
	}
	return stage_end(&s);
}
