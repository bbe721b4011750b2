#include "leftover.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "tree.h"

#define NAME "SLUICE_FEEDER="

/* The whole of a file of a process's folder in /proc, with a NUL after it. */
static void
slurp(struct buf *b, int dir, const char *name)
{
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	b->len = 0;
	while (fd >= 0 && (n = read(fd, buf_room(b, 4096), 4096)) > 0)
		b->len += (size_t)n;
	if (fd >= 0)
		close(fd);
	buf_str(b);
}

/* Whatever is opened in it, and what is sent to it, is about the same process, or
 * fails: the number may be another's by then. */
static int
open_process(long pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld", pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* When pid started, in ticks since boot; 0: that can't be read. *dead: it is not reaped yet. */
static uint64_t
start_of(long pid, bool *dead)
{
	static struct buf b;
	int dir = open_process(pid);
	char *p, state;
	uint64_t start;

	slurp(&b, dir, "stat");
	if (dir >= 0)
		close(dir);
	p = b.len ? strrchr(b.p, ')') : NULL;
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
	    &state, &start) != 2)
		return 0;
	*dead = state == 'Z' || state == 'X';
	return start;
}

/* A process that we merely may not look at (hidepid, no descriptor left) lives. */
static bool
is_gone(long pid, uint64_t start)
{
	bool dead = false;
	uint64_t now = start_of(pid, &dead);

	return now ? dead || now != start : kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* Numbers of processes mean something in their own name space only. 0: /proc is another's. */
static uint64_t
name_space(void)
{
	struct stat st;

	return tree_is_ours() && stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

const char *
leftover_mark(void)
{
	static char text[64];
	bool dead;

	if (!text[0])
		snprintf(text, sizeof(text), NAME "%ld.%" PRIu64 ".%" PRIu64, (long)getpid(),
		    start_of(getpid(), &dead), name_space());
	return text;
}

/* True when the environment (NUL after each) has the mark of one that is gone. */
static bool
is_left(const struct buf *env)
{
	for (const char *p = env->p, *end = p + env->len; p && p < end; p += strlen(p) + 1) {
		long pid;
		uint64_t start, space;

		if (strncmp(p, NAME, sizeof(NAME) - 1) != 0)
			continue;
		return sscanf(p + sizeof(NAME) - 1, "%ld.%" SCNu64 ".%" SCNu64, &pid, &start, &space) == 3 &&
		    pid > 1 && start && space && space == name_space() && is_gone(pid, start);
	}
	return false;
}

static bool
end_process(int dir)
{
	static struct buf env;

	slurp(&env, dir, "environ");
	return is_left(&env) && pidfd_send_signal(dir, SIGKILL, NULL, 0) == 0;
}

int
leftover_end(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10);
		int dir;

		if (!isdigit((unsigned char)e->d_name[0]) || pid == getpid() || (dir = open_process(pid)) < 0)
			continue;
		n += end_process(dir);
		close(dir);
	}
	if (d)
		closedir(d);
	return n;
}
