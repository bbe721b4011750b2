/* metrics - what programs count and what the ledger holds, as Prometheus text.
 * See docs/metrics.1. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "endpoint.h"
#include "err.h"
#include "expose.h"
#include "gauges.h"

static const char usage[] = "metrics [-l address:port [-D fd]] [folder]\n"
    "\n"
    "Prints the numbers that programs keep in folder (default $SLUICE_METRICS) in\n"
    "Prometheus text form, and those of the ledger where SLUICE_DB names one.\n"
    "  -l address:port  answers GET /metrics there instead, until TERM\n"
    "  -D fd            write a newline to it when ready\n";

static const char *folder;

/* The page: what programs count, then the ledger's. */
static void
page(struct buf *out)
{
	if (expose_folder(out, folder) < 0)
		warn_sys("%s", folder);
	if (arg_env("SLUICE_DB", NULL))
		gauges_add(out);
}

static void
print(void)
{
	static struct buf out;

	if (expose_folder(&out, folder) < 0)
		die_sys(errno == ENOENT || errno == ENOTDIR ? XPERM : XTEMP, "%s", folder);
	if (arg_env("SLUICE_DB", NULL)) {
		gauges_start();
		gauges_add(&out);
	}
	if (fwrite(out.p, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		die_sys(XTEMP, "write stdout");
}

/* All threads get the mask: signals are this loop's. */
static void
serve(const char *address, int ready_fd)
{
	const struct timespec second = { .tv_sec = 1 };
	sigset_t set;
	int s;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_sys(XTEMP, "signals");
	gauges_start();
	endpoint_start(address, page);
	info("listening: address=%s", address);
	if (ready_fd && (write(ready_fd, "\n", 1) != 1 || close(ready_fd) < 0))
		die_sys(XTEMP, "readiness");
	while ((s = sigtimedwait(&set, NULL, &second)) < 0)
		endpoint_reap();
	info("done: scrapes=%lu refused=%lu", endpoint_scrapes(), endpoint_refused());
}

int
main(int argc, char **argv)
{
	const char *address = NULL;
	int c, ready_fd = 0;

	err_init("metrics");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+l:D:")) != -1)
		switch (c) {
		case 'l': address = optarg; break;
		case 'D': ready_fd = (int)arg_ulong("-D", optarg, 3, 1 << 20); break;
		default: die_usage(usage);
		}
	if (argc - optind > 1 || (ready_fd && !address))
		die_usage(usage);
	folder = optind < argc ? argv[optind] : arg_env("SLUICE_METRICS", NULL);
	if (!folder)
		die(XPERM, "no folder: name one or set SLUICE_METRICS");
	if (address)
		serve(address, ready_fd);
	else
		print();
	return 0;
}
