#include "feed_int.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "err.h"

int
feed_signals(void)
{
	static int fd = -1;
	sigset_t set;

	if (fd >= 0)
		return fd;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die_sys(XTEMP, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die_sys(XTEMP, "signalfd");
	return fd;
}

void
feed_read_signals(struct feed **f, size_t n)
{
	struct signalfd_siginfo si;
	size_t in_flight = 0;

	while (read(feed_signals(), &si, sizeof(si)) == sizeof(si))
		;
	if (f[0]->stopping)
		return;
	for (size_t i = 0; i < n; i++) {
		f[i]->stopping = true;
		f[i]->grace_by = f[i]->now + feed_grace(f[i]);
		in_flight += f[i]->sent.n;
	}
	info("stopping: in_flight=%zu", in_flight);
}
