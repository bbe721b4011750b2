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
	int in[2], out[2], err[2], status[2], life[2];
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

	for (int i = 0; i < 10; i++)
		close_fd(&all[i]);
}

static int
open_pipes(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->in, O_CLOEXEC) < 0 || pipe2(p->out, O_CLOEXEC) < 0 ||
	    pipe2(p->err, O_CLOEXEC) < 0 ||
	    pipe2(p->status, O_CLOEXEC) < 0 || pipe2(p->life, O_CLOEXEC) < 0) {
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

/* The guardian: 0 is the lifeline, 1 the status pipe, 3 a signalfd. It leaves
 * only by the KILL that ends its group. */
static void
guard(pid_t child)
{
	struct pollfd fd[2] = { { .fd = 0, .events = POLLIN }, { .fd = 3, .events = POLLIN } };
	struct signalfd_siginfo si;
	int wait_ms = -1, status;

	for (;;) {
		int n = poll(fd, 2, wait_ms);

		if (fd[1].revents)
			(void)!read(3, &si, sizeof(si));
		if (child && waitpid(child, &status, WNOHANG) == child) {
			child = 0;
			(void)!write(1, &status, sizeof(status));
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (n == 0)
			kill(0, SIGKILL);       /* us too: the group is ours */
		if (fd[0].revents) {
			fd[0].fd = -1;
			wait_ms = KILL_AFTER_MS;
			kill(0, SIGTERM);       /* blocked here */
		}
	}
}

static void
lead_group(const struct pipes *p, char **argv)
{
	sigset_t all, chld;
	pid_t child;
	int fd;

	setpgid(0, 0);
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
		run_command(p, argv);
	/* Keep nothing of the parent's: its sockets, the other ends of our pipes. */
	if (dup2(p->life[0], 0) < 0 || dup2(p->status[1], 1) < 0 || (fd != 3 && dup2(fd, 3) < 0))
		_exit(111);
	close(2);
	close_range(4, ~0U, 0);
	guard(child);
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
	*f = (struct filter){ .pid = pid, .in = p.in[1], .out = p.out[0], .err = p.err[0],
	    .status = p.status[0], .life = p.life[1] };
	p.in[1] = p.out[0] = p.err[0] = p.status[0] = p.life[1] = -1;
	close_pipes(&p);
	fcntl(f->in, F_SETFL, O_NONBLOCK);
	fcntl(f->out, F_SETFL, O_NONBLOCK);
	fcntl(f->err, F_SETFL, O_NONBLOCK);
	fcntl(f->status, F_SETFL, O_NONBLOCK);
	return 0;
}

bool
filter_poll_end(struct filter *f)
{
	int status = 0;
	ssize_t n;

	if (f->ended || !f->pid)
		return true;
	n = read(f->status, &status, sizeof(status));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != sizeof(status))
		status = SIGKILL;       /* the guardian was killed */
	f->ended = true;
	f->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	f->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
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
		filter_kill(f, SIGKILL);        /* unreaped, the guardian keeps the group's number ours */
		while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&f->in);
	close_fd(&f->out);
	close_fd(&f->err);
	close_fd(&f->status);
	close_fd(&f->life);
	f->pid = 0;
}
