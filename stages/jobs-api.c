/* jobs-api - jobs over HTTP. See docs/jobs-api.1. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/api.h"
#include "arg.h"
#include "err.h"
#include "loop.h"
#include "now.h"

static const char usage[] = "jobs-api -l address:port [-D fd] [-i socket] [-q socket] [-m folder] [-s folder]\n"
    "             [-c connections] [-a connections] [-e seconds] [-t times]\n"
    "\n"
    "Serves the jobs of the ledger (SLUICE_DB) over HTTP: reading, submitting,\n"
    "following and cancelling them, and a page to watch it all.\n"
    "  -l address:port  where it listens\n"
    "  -D fd            write a newline to it when ready\n"
    "  -i socket        of the intake: requests in, outcomes out (none: 503)\n"
    "  -q socket        of the search: questions in, hits out (none: 503)\n"
    "  -m folder        what programs count, for /metrics ($SLUICE_METRICS)\n"
    "  -s folder        what programs wait for, for /readyz\n"
    "  -c connections   at most, all together (12000)\n"
    "  -a connections   at most from one address (no limit)\n"
    "  -e seconds       after which a stream ends, or up to half as many more (900)\n"
    "  -t times         seconds that a client may take, five in one argument: for its first\n"
    "                   request, between requests, for a body, for an answer, until the\n"
    "                   reader of a stream takes something ('20 75 120 600 60')\n";

enum { FILE_MAX = 1 << 20, GRACE_MS = 10000 };

static bool stop;
static int signals;

static void
on_signal(struct loop_io *io, uint32_t events)
{
	struct signalfd_siginfo s;

	(void)events;
	if (read(io->fd, &s, sizeof(s)) == sizeof(s))
		stop = true;
}

static void
catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    (signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		die_sys(XTEMP, "signals");
}

/* A file's text; NULL where the setting names none. */
static const char *
file_of(const char *setting)
{
	const char *path = arg_env(setting, NULL);
	struct buf b = BUF_INIT;
	ssize_t n = 1;
	int fd;

	if (!path)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && b.len < FILE_MAX) {
		n = read(fd, buf_room(&b, 65536), 65536);
		b.len += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n < 0)
		die_sys(XPERM, "%s: %s", setting, path);
	close(fd);
	return buf_str(&b);
}

static void
serve(int ready_fd)
{
	static struct loop_io io = { .fd = -1, .ready = on_signal };
	int64_t end;

	loop_on(&io, signals, EPOLLIN);
	if (ready_fd && (write(ready_fd, "\n", 1) != 1 || close(ready_fd) < 0))
		die_sys(XTEMP, "readiness");
	while (!stop)
		loop_turn(-1);
	info("stopping");
	api_stop();
	web_close();
	for (end = now_ms() + GRACE_MS; api_open_calls() && now_ms() < end;)
		loop_turn(100);
	web_stop();
	info("done: requests=%lu dropped=%lu", web_counts().requests, web_counts().dropped);
}

static void
set_times(struct web_times *t, const char *arg)
{
	double v[5];

	arg_doubles("-t", arg, v, 5, 0.1, 86400);
	*t = (struct web_times){ v[0], v[1], v[2], v[3], v[4] };
}

int
main(int argc, char **argv)
{
	static struct api_opts o = { .stream_s = 900 };
	struct web_opts w = { .connections = 12000, .times = WEB_TIMES, .handle = api_handle, .known = api_known,
	    .abandon = api_abandon, .done = api_done };
	int c, ready_fd = 0;

	err_init("jobs-api");
	arg_help(argc, argv, usage);
	o.metrics = arg_env("SLUICE_METRICS", NULL);
	while ((c = getopt(argc, argv, "+l:D:i:q:m:s:c:a:e:t:")) != -1)
		switch (c) {
		case 'l': w.address = optarg; break;
		case 'D': ready_fd = (int)arg_ulong("-D", optarg, 3, 1 << 20); break;
		case 'i': o.intake = optarg; break;
		case 'q': o.hits = optarg; break;
		case 'm': o.metrics = optarg; break;
		case 's': o.states = optarg; break;
		case 'c': w.connections = (unsigned)arg_ulong("-c", optarg, 1, 1000000); break;
		case 'a': w.per_address = (unsigned)arg_ulong("-a", optarg, 1, 1000000); break;
		case 'e': o.stream_s = (unsigned)arg_ulong("-e", optarg, 1, 86400); break;
		case 't': set_times(&w.times, optarg); break;
		default: die_usage(usage);
		}
	if (optind != argc || !w.address)
		die_usage(usage);
	o.db = arg_env("SLUICE_DB", "");
	o.tenant = arg_env("SLUICE_TENANT", "default");
	o.origins = arg_env("SLUICE_API_CORS", NULL);
	o.open = strcmp(arg_env("SLUICE_API_OPEN", "0"), "1") == 0;
	w.cert = file_of("SLUICE_API_CERT");
	w.key = file_of("SLUICE_API_KEY");
	if (!w.cert != !w.key)
		die(XPERM, "SLUICE_API_CERT and SLUICE_API_KEY go together");
	catch_signals();
	loop_open();
	api_start(&o);
	web_start(&w);
	info("listening: address=%s port=%u tls=%s open=%s", w.address, web_port(), w.cert ? "yes" : "no", o.open ? "yes" : "no");
	serve(ready_fd);
	return 0;
}
