#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIPE_SIZE = 1 << 20, KILL_AFTER_MS = 1000 };

struct pipes {
	int in[2], out[2], err[2], life[2];
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_pipes(struct pipes *p)
{
	int *all = &p->in[0];

	for (int i = 0; i < 8; i++)
		close_fd(&all[i]);
}

static int
open_pipes(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->in, O_CLOEXEC) < 0 || pipe2(p->out, O_CLOEXEC) < 0 ||
	    pipe2(p->err, O_CLOEXEC) < 0 || pipe2(p->life, O_CLOEXEC) < 0) {
		int err = errno;

		close_pipes(p);
		errno = err;
		return -1;
	}
	/* Only a wish: an unprivileged user may have used up its pipe pages. */
	(void)fcntl(p->in[1], F_SETPIPE_SZ, PIPE_SIZE);
	(void)fcntl(p->out[0], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

/* After fork, beside other threads of the parent: only async-signal-safe
 * calls from here to the end of guard(). */
static void
run_command(const struct pipes *p, char **argv)
{
	sigset_t none;
	int missing;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(p->in[0], 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->err[1], 2) < 0)
		_exit(111);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	missing = errno == ENOENT;
	(void)!write(2, argv[0], __builtin_strlen(argv[0]));
	(void)!write(2, missing ? ": not found\n" : ": cannot be executed\n", missing ? 12 : 21);
	_exit(missing ? 127 : 126);
}

static void
die_like(int status)
{
	if (WIFSIGNALED(status)) {
		sigset_t one;

		signal(WTERMSIG(status), SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);      /* the command has left the core, if any */
		raise(WTERMSIG(status));
		sigemptyset(&one);
		sigaddset(&one, WTERMSIG(status));
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		_exit(128 + WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

/* The guardian: until the command ends, or the lifeline closes. */
static void
guard(const struct pipes *p, pid_t child, int chld)
{
	struct pollfd fd[2] = { { .fd = p->life[0], .events = POLLIN }, { .fd = chld, .events = POLLIN } };
	int wait_ms = -1, status;

	for (;;) {
		int n = poll(fd, 2, wait_ms);

		if (waitpid(child, &status, WNOHANG) == child)
			die_like(status);
		if (n == 0)
			kill(0, SIGKILL);       /* us too: the group is ours */
		if (fd[0].revents) {
			fd[0].fd = -1;
			wait_ms = KILL_AFTER_MS;
			kill(0, SIGTERM);       /* blocked here */
		}
		if (fd[1].revents) {
			struct signalfd_siginfo si;

			(void)!read(chld, &si, sizeof(si));
		}
	}
}

static void
lead_group(struct pipes *p, char **argv)
{
	sigset_t all;
	pid_t child;
	int chld;

	setpgid(0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	chld = signalfd(-1, &all, SFD_CLOEXEC);
	close(p->life[1]);
	child = fork();
	if (chld < 0 || child < 0)
		_exit(111);
	if (child == 0)
		run_command(p, argv);
	/* Keep nothing of the parent's: its sockets, the other ends of our pipes. */
	dup2(p->life[0], 0);
	dup2(chld, 1);
	p->life[0] = 0;
	close_range(2, ~0U, 0);
	guard(p, child, 1);
}

int
filter_start(struct filter *f, char **argv)
{
	struct pipes p;
	pid_t pid;

	if (open_pipes(&p) < 0)
		return -1;
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close_pipes(&p);
		errno = err;
		return -1;
	}
	if (pid == 0)
		lead_group(&p, argv);
	setpgid(pid, pid);      /* both sides do it: whoever comes first */
	*f = (struct filter){ .pid = pid, .in = p.in[1], .out = p.out[0], .err = p.err[0], .life = p.life[1] };
	p.in[1] = p.out[0] = p.err[0] = p.life[1] = -1;
	close_pipes(&p);
	fcntl(f->in, F_SETFL, O_NONBLOCK);
	fcntl(f->out, F_SETFL, O_NONBLOCK);
	fcntl(f->err, F_SETFL, O_NONBLOCK);
	return 0;
}

bool
filter_poll_end(struct filter *f)
{
	siginfo_t si = { 0 };

	if (f->ended || !f->pid)
		return true;
	if (waitid(P_PID, (id_t)f->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || si.si_pid == 0)
		return false;
	f->ended = true;
	f->code = si.si_code == CLD_EXITED ? si.si_status : -1;
	f->signal = si.si_code == CLD_EXITED ? 0 : si.si_status;
	return true;
}

void
filter_close_in(struct filter *f)
{
	close_fd(&f->in);
}

void
filter_kill(struct filter *f, int sig)
{
	if (f->pid)
		kill(-f->pid, sig);
}

void
filter_finish(struct filter *f)
{
	if (f->pid) {
		filter_kill(f, SIGKILL);
		if (!f->ended)
			kill(f->pid, SIGKILL);
		while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&f->in);
	close_fd(&f->out);
	close_fd(&f->err);
	close_fd(&f->life);
	f->pid = 0;
}
