#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "now.h"
#include "tree.h"

enum { KILL_AFTER_MS = 1000 };

static void
say(const char *text)
{
	(void)!write(2, text, strlen(text));
}

static void
run_command(const struct guardian_pipes *p, char **argv, char **env, const struct limit *limit)
{
	sigset_t none;
	int missing;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(p->in[0], 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->err[1], 2) < 0)
		_exit(111);
	if (p->hints[1] >= 0)
		fcntl(p->hints[1], F_SETFD, 0);
	if (limit_apply(limit) < 0) {
		say("cannot set its limits\n");
		_exit(111);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(argv[0], argv, env);
	missing = errno == ENOENT;
	say(argv[0]);
	say(missing ? ": not found\n" : ": cannot be executed\n");
	_exit(missing ? 127 : 126);
}

static void
tell_end(int status, const struct rusage *use)
{
	struct guardian_end end = { status, use->ru_maxrss };

	(void)!write(1, &end, sizeof(end));
}

/* As a subreaper we inherit the orphans of those that we kill, so that level
 * after level ends, whatever group or session it is in; then the group, us too. */
static void
kill_all(pid_t child)
{
	struct rusage use;
	int status;
	pid_t pid;

	while (tree_kill_children(SIGKILL) > 0 && (pid = wait4(-1, &status, 0, &use)) > 0)
		if (pid == child)
			tell_end(status, &use);
	kill(0, SIGKILL);
}

/* The guardian: 0 is the lifeline, 1 the status pipe, 3 a signalfd. A byte on
 * the lifeline asks for KILL at once. It leaves only by the KILL that ends its
 * group. */
static void __attribute__((noreturn))
guard(pid_t child)
{
	struct pollfd fd[2] = { { .fd = 0, .events = POLLIN }, { .fd = 3, .events = POLLIN } };
	struct signalfd_siginfo si;
	struct rusage use;
	int64_t kill_at = INT64_MAX;
	int status;
	char byte;

	for (;;) {
		int64_t left = kill_at - now_ms();

		(void)poll(fd, 2, kill_at == INT64_MAX ? -1 : left > 0 ? (int)left : 0);
		if (fd[1].revents)
			(void)!read(3, &si, sizeof(si));
		if (child && wait4(child, &status, WNOHANG, &use) == child) {
			child = 0;
			tell_end(status, &use);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (now_ms() >= kill_at)
			kill_all(child);
		if (fd[0].revents && kill_at == INT64_MAX) {
			if (read(0, &byte, 1) == 1)
				kill_all(child);
			fd[0].fd = -1;
			kill_at = now_ms() + KILL_AFTER_MS;
			kill(0, SIGTERM);       /* blocked here */
		}
	}
}

void
guardian_lead(const struct guardian_pipes *p, char **argv, char **env, const struct limit *limit)
{
	sigset_t all, chld;
	pid_t child;
	int fd;

	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	close(p->life[1]);
	fd = signalfd(-1, &chld, SFD_CLOEXEC);
	child = fork();
	if (fd < 0 || child < 0)
		_exit(111);
	if (child == 0)
		run_command(p, argv, env, limit);
	/* Keep nothing of the parent's: its sockets, the other ends of our pipes. */
	if (dup2(p->life[0], 0) < 0 || dup2(p->status[1], 1) < 0 || (fd != 3 && dup2(fd, 3) < 0))
		_exit(111);
	close(2);
	close_range(4, ~0U, 0);
	guard(child);
}
