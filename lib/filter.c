#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guardian.h"
#include "leftover.h"
#include "mem.h"

enum {
	PIPE_SIZE = 1 << 20,
	FINISH_MS = 2000,       /* for the guardian to end what is left */
	HINTS_FD = 20           /* at least: above what shells use themselves */
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_pipes(struct guardian_pipes *p)
{
	int *all = &p->in[0];

	for (int i = 0; i < 12; i++)
		close_fd(&all[i]);
}

/* Hints may be lost, so nobody waits for room in their pipe. */
static int
open_hints(int *p)
{
	int high;

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	high = fcntl(p[1], F_DUPFD_CLOEXEC, HINTS_FD);
	if (high < 0)
		return -1;
	close(p[1]);
	p[1] = high;
	return 0;
}

static int
open_pipes(struct guardian_pipes *p, bool hints)
{
	*p = (struct guardian_pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->in, O_CLOEXEC) < 0 || pipe2(p->out, O_CLOEXEC) < 0 ||
	    pipe2(p->err, O_CLOEXEC) < 0 ||
	    pipe2(p->status, O_CLOEXEC) < 0 || pipe2(p->life, O_CLOEXEC) < 0 ||
	    (hints && open_hints(p->hints) < 0)) {
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

static bool
is_ours(const char *entry)
{
	return strncmp(entry, "SLUICE_HINTS=", 13) == 0 || strncmp(entry, "SLUICE_FEEDER=", 14) == 0;
}

/* Our environment with SLUICE_HINTS and the feeder's mark as they are for this
 * filter: made before the fork, because nothing may be allocated after it. */
static char **
make_env(int hints)
{
	static char text[32], mark[64];
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = mem_array(NULL, n + 3, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			env[k++] = environ[i];
	snprintf(mark, sizeof(mark), "%s", leftover_mark());
	env[k++] = mark;
	snprintf(text, sizeof(text), "SLUICE_HINTS=%d", hints);
	if (hints >= 0)
		env[k++] = text;
	env[k] = NULL;
	return env;
}

static int
start(struct filter *f, struct guardian_pipes *p, char **argv, const struct filter_opts *o)
{
	char **env = make_env(p->hints[1]);
	pid_t pid = fork();

	if (pid == 0)
		guardian_lead(p, argv, env, &o->limit);
	free(env);
	if (pid < 0)
		return -1;
	setpgid(pid, pid);      /* both sides do it: whoever comes first */
	*f = (struct filter){ .pid = pid, .in = p->in[1], .out = p->out[0], .err = p->err[0],
	    .status = p->status[0], .life = p->life[1], .hints = p->hints[0] };
	p->in[1] = p->out[0] = p->err[0] = p->status[0] = p->life[1] = p->hints[0] = -1;
	fcntl(f->in, F_SETFL, O_NONBLOCK);
	fcntl(f->out, F_SETFL, O_NONBLOCK);
	fcntl(f->err, F_SETFL, O_NONBLOCK);
	fcntl(f->status, F_SETFL, O_NONBLOCK);
	return 0;
}

int
filter_start(struct filter *f, char **argv, const struct filter_opts *o)
{
	struct guardian_pipes p;
	int err, r;

	if (open_pipes(&p, o->hints) < 0)
		return -1;
	r = start(f, &p, argv, o);
	err = errno;
	close_pipes(&p);
	errno = err;
	return r;
}

bool
filter_poll_end(struct filter *f)
{
	struct guardian_end end = { 0 };
	ssize_t n;

	if (f->ended || !f->pid)
		return true;
	n = read(f->status, &end, sizeof(end));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != sizeof(end))
		end.status = SIGKILL;   /* the guardian was killed */
	f->ended = true;
	f->code = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : -1;
	f->signal = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
	f->rss = (size_t)end.rss_kb * 1024;
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
	if (!f->pid)
		return;
	if (sig == SIGKILL && !f->killed && f->life >= 0) {
		f->killed = true;
		if (write(f->life, "", 1) == 1)
			return;
	}
	kill(-f->pid, sig);
}

/* The guardian's end of the status pipe closes when it has ended. */
static void
await_guardian(const struct filter *f)
{
	struct pollfd fd = { .fd = f->status, .events = POLLIN };
	char rest[64];

	while (poll(&fd, 1, FINISH_MS) > 0 && read(f->status, rest, sizeof(rest)) > 0)
		;
}

void
filter_finish(struct filter *f)
{
	if (f->pid) {
		filter_kill(f, SIGKILL);
		await_guardian(f);
		kill(-f->pid, SIGKILL);         /* unreaped, the guardian keeps the group's number ours */
		while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&f->in);
	close_fd(&f->out);
	close_fd(&f->err);
	close_fd(&f->status);
	close_fd(&f->hints);
	close_fd(&f->life);
	f->pid = 0;
}
