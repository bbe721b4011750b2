/* killtest - whom tree_kill_children and leftover_end send KILL to. kill(2) is our
 * own here: it only takes note. Run by t/0111-guard-pipeline.t. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leftover.h"
#include "tap.h"
#include "tree.h"

enum { CHILDREN = 1200 };       /* their list is longer than what is read of it */

static pid_t child[CHILDREN], *end = child, stranger;
static size_t noted;
static bool hidden;             /* every process is there */

/* In place of the C library's. */
int
kill(pid_t pid, int sig)
{
	if (sig == 0)
		return hidden ? 0 : (errno = ESRCH, -1);
	noted++;
	for (pid_t *c = child; c < end; c++)
		if (*c == pid)
			return 0;
	stranger = pid;
	return 0;
}

/* A process with this mark is ended, or not, by whoever starts next. */
static bool
is_ended(const char *mark)
{
	char sleep[] = "sleep", time[] = "60", *argv[] = { sleep, time, NULL }, env[128], *envp[] = { env, NULL }, c;
	int up[2], status;
	pid_t pid;

	snprintf(env, sizeof(env), "%s", mark);
	if (pipe2(up, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return false;
	if (pid == 0) {
		execve("/bin/sleep", argv, envp);
		_exit(127);
	}
	close(up[1]);
	if (read(up[0], &c, 1) != 0)    /* until it is sleep */
		return false;
	close(up[0]);
	leftover_end();
	pidfd_send_signal(pidfd_open(pid, 0), SIGTERM, NULL, 0);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Marks: of one that lives, one that is no more, the same number used again, another
 * name space; and one whose process may not be looked at. */
static void
leftovers(void)
{
	const char *own = leftover_mark();
	uint64_t start = 0, space = 0;
	char mark[128];
	long pid = 0;

	if (!ok(sscanf(own, "SLUICE_FEEDER=%ld.%" SCNu64 ".%" SCNu64, &pid, &start, &space) == 3 && start && space, "our mark"))
		return;
	ok(!is_ended(own), "of one that lives");
	snprintf(mark, sizeof(mark), "SLUICE_FEEDER=%ld.%" PRIu64 ".%" PRIu64, pid, start + 1, space);
	ok(is_ended(mark), "of one whose number is another's now");
	snprintf(mark, sizeof(mark), "SLUICE_FEEDER=%ld.%" PRIu64 ".%" PRIu64, pid, start + 1, space + 1);
	ok(!is_ended(mark), "of another name space");
	snprintf(mark, sizeof(mark), "SLUICE_FEEDER=%d.%" PRIu64 ".%" PRIu64, 1 << 30, start, space);
	hidden = true;
	ok(!is_ended(mark), "of one that is there but may not be looked at");
	hidden = false;
	ok(is_ended(mark), "of one that is no more");
	ok(!is_ended("SLUICE_FEEDER=1.0.x") && !is_ended("SLUICE_FEEDER="), "of nobody");
}

int
main(void)
{
	int hold[2], n;
	char c;

	if (pipe(hold) < 0)
		return 111;
	for (; end < child + CHILDREN && (*end = fork()) > 0; end++)
		;
	if (end < child + CHILDREN && *end == 0) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) > 0);
	}
	ok(end == child + CHILDREN, "%d children", CHILDREN);
	ok(tree_is_ours(), "/proc is ours");
	n = tree_kill_children(SIGKILL);
	ok(n > 100 && (size_t)n == noted, "children are found");
	ok(!stranger, "and nobody else, where the list is cut: %d", (int)stranger);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
	leftovers();
	return tap_end();
}
