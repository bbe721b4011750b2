#include "leftover.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define NAME "SLUICE_FEEDER="

/* The whole of a file of /proc, with a NUL after it. */
static void
slurp(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	b->len = 0;
	while (fd >= 0 && (n = read(fd, buf_room(b, 4096), 4096)) > 0)
		b->len += (size_t)n;
	if (fd >= 0)
		close(fd);
	buf_str(b);
}

/* When pid started, in ticks since boot; 0: it is not there, or dead and not reaped. */
static uint64_t
start_of(long pid)
{
	static struct buf b;
	char path[64], *p, state;
	uint64_t start;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	slurp(&b, path);
	p = b.len ? strrchr(b.p, ')') : NULL;
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
	    &state, &start) != 2 || state == 'Z' || state == 'X')
		return 0;
	return start;
}

/* Numbers of processes mean something in their own name space only. */
static uint64_t
name_space(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

const char *
leftover_mark(void)
{
	static char text[64];

	if (!text[0])
		snprintf(text, sizeof(text), NAME "%ld.%" PRIu64 ".%" PRIu64, (long)getpid(),
		    start_of(getpid()), name_space());
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
		    pid > 1 && start && space && space == name_space() && start_of(pid) != start;
	}
	return false;
}

int
leftover_end(void)
{
	static struct buf env;
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[320];
	int n = 0;

	while (d && (e = readdir(d))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (!isdigit((unsigned char)e->d_name[0]) || pid == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/environ", e->d_name);
		slurp(&env, path);
		if (is_left(&env) && kill(pid, SIGKILL) == 0)
			n++;
	}
	if (d)
		closedir(d);
	return n;
}
