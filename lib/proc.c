#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "now.h"
#include "proc.h"

/* How long a grandchild may hold the pipes after the leader's end. */
enum { DRAIN_MS = 200, TURN_MS = 50 };

struct run {
	pid_t pid;
	int out, err;           /* read ends, -1 when at their end */
	int exec_err;           /* read end: the errno of a failed exec, or EOF */
	int status;
	bool ended;             /* the leader was reaped */
};

/* Only async-signal-safe calls: we are between fork and exec. */
static void __attribute__((noreturn))
child(const struct proc *p, pid_t parent, int out, int err, int fail)
{
	sigset_t none;
	int in = p->in_fd, e;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(111);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (limit_apply(&p->limit) < 0)
		goto fail;
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		goto fail;
	execvp(p->argv[0], (char *const *)(uintptr_t)p->argv);
fail:
	e = errno;
	if (write(fail, &e, sizeof e) < 0)
		_exit(126);
	_exit(127);
}

/* A pipe whose ends are above 2, so that dup2 in the child overwrites none. */
static int
pipe_high(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		int d;

		if (fd[i] > 2)
			continue;
		d = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);
		close(fd[i]);
		fd[i] = d;
	}
	if (fd[0] >= 0 && fd[1] >= 0)
		return 0;
	close(fd[0]);
	close(fd[1]);
	return -1;
}

static int
start(const struct proc *p, struct run *r)
{
	int fd[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, e;
	pid_t self = getpid();

	for (int i = 0; i < 3; i++)
		if (pipe_high(fd[i]) < 0)
			goto bad;
	r->pid = fork();
	if (r->pid == 0)
		child(p, self, fd[0][1], fd[1][1], fd[2][1]);
	if (r->pid < 0)
		goto bad;
	setpgid(r->pid, r->pid);        /* both do: neither may come too late */
	for (int i = 0; i < 3; i++)
		close(fd[i][1]);
	r->out = fd[0][0];
	r->err = fd[1][0];
	r->exec_err = fd[2][0];
	return 0;
bad:
	e = errno;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++)
			if (fd[i][j] >= 0)
				close(fd[i][j]);
	errno = e;
	return -1;
}

/* Keeps the last bytes of stderr. */
static void
keep_err(struct proc_result *r, const char *p, size_t n)
{
	size_t max = sizeof r->err - 1, drop;

	if (n > max) {
		p += n - max;
		n = max;
	}
	if (r->err_len + n > max) {
		drop = r->err_len + n - max;
		memmove(r->err, r->err + drop, r->err_len - drop);
		r->err_len -= drop;
	}
	memcpy(r->err + r->err_len, p, n);
	r->err_len += n;
	r->err[r->err_len] = 0;
}

/* One read from a pipe that poll named. PROC_EXIT: go on. */
static enum proc_end
take(const struct proc *p, struct proc_result *res, int *fd, int is_out)
{
	char tmp[1024];
	size_t want = 65536;
	ssize_t n;

	if (is_out) {
		if (p->out_max && !p->sink && want > p->out_max - res->out.len + 1)
			want = p->out_max - res->out.len + 1;
		n = read(*fd, buf_room(&res->out, want), want);
		if (n > 0)
			res->out.len += (size_t)n;
	} else {
		n = read(*fd, tmp, sizeof tmp);
		if (n > 0)
			keep_err(res, tmp, (size_t)n);
	}
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		close(*fd);
		*fd = -1;
	}
	if (is_out && p->sink && n > 0) {
		res->out.len = 0;
		return p->sink(p->ctx, res->out.p, (size_t)n) < 0 ? PROC_REFUSED : PROC_EXIT;
	}
	if (is_out && p->out_max && !p->sink && res->out.len > p->out_max) {
		res->out.len = p->out_max;
		return PROC_TOO_LARGE;
	}
	return PROC_EXIT;
}

/* Kills the group before the leader is reaped: until then its id is not
 * anybody else's. True when the leader had ended. */
static bool
reap(struct run *r)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)r->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid)
		return false;
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
		;
	r->ended = true;
	return true;
}

/* Until the leader has ended and its pipes are drained, or a limit is passed. */
static enum proc_end
watch(const struct proc *p, struct run *r, struct proc_result *res)
{
	int64_t end = p->wall_ms ? now_ms() + (int64_t)p->wall_ms : INT64_MAX, drain = INT64_MAX;
	enum proc_end how;

	while (!r->ended || r->out >= 0 || r->err >= 0) {
		struct pollfd f[2] = { { r->out, POLLIN, 0 }, { r->err, POLLIN, 0 } };
		int64_t now = now_ms();

		if (!r->ended && reap(r))
			drain = now + DRAIN_MS;
		if (r->ended && (now >= drain || (r->out < 0 && r->err < 0)))
			return PROC_EXIT;
		if (!r->ended && now >= end)
			return PROC_TIMEOUT;
		/* Pipes at their end and a leader that goes on: look again soon. */
		if (poll(f, 2, r->out < 0 && r->err < 0 ? 2 : TURN_MS) < 0 && errno != EINTR)
			return PROC_ERR;
		if (f[1].revents)
			take(p, res, &r->err, 0);
		if (f[0].revents && (how = take(p, res, &r->out, 1)) != PROC_EXIT)
			return how;
	}
	return PROC_EXIT;
}

void
proc_run(const struct proc *p, struct proc_result *res)
{
	struct run r = { .out = -1, .err = -1, .exec_err = -1 };
	int e = 0;

	res->err_len = 0;
	res->err[0] = 0;
	if (start(p, &r) < 0) {
		res->end = PROC_ERR;
		res->code = errno;
		return;
	}
	res->end = watch(p, &r, res);
	res->code = res->end == PROC_ERR || res->end == PROC_REFUSED ? errno : 0;
	if (!r.ended) {
		kill(-r.pid, SIGKILL);
		kill(r.pid, SIGKILL);
		while (waitpid(r.pid, &r.status, 0) < 0 && errno == EINTR)
			;
	}
	if (read(r.exec_err, &e, sizeof e) == (ssize_t)sizeof e) {
		res->end = PROC_NO_EXEC;
		res->code = e;
	} else if (res->end == PROC_EXIT && WIFSIGNALED(r.status)) {
		/* RLIMIT_CPU ends it with XCPU, or with KILL where that is ignored. */
		res->end = WTERMSIG(r.status) == SIGXCPU ? PROC_TIMEOUT : PROC_SIGNAL;
		res->code = WTERMSIG(r.status);
	} else if (res->end == PROC_EXIT) {
		res->code = WEXITSTATUS(r.status);
	}
	for (int *fd = (int[]){ r.out, r.err, r.exec_err, -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
}
