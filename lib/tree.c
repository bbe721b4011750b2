#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIDS = 4096 };

struct walk {
	pid_t pid[PIDS];
	size_t n;
};

static size_t
slurp(const char *path, char *p, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < cap - 1 && (n = read(fd, p + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		close(fd);
	p[len] = '\0';
	return len;
}

/* Takes the next number of a list of them, each with a space after it; NULL at its
 * end, or where the list was cut: half a number is another process. */
static const char *
next_pid(const char *p, pid_t *pid)
{
	long n = 0;

	while (*p == ' ')
		p++;
	if (*p < '0' || *p > '9')
		return NULL;
	while (*p >= '0' && *p <= '9')
		n = n * 10 + (*p++ - '0');
	*pid = (pid_t)n;
	return *p == ' ' ? p : NULL;
}

/* The children of pid, whichever of its threads forked them. */
static void
add_children(struct walk *w, pid_t pid)
{
	char path[320], text[16384];
	const char *p;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, e->d_name);
		slurp(path, text, sizeof(text));
		for (p = text; w->n < PIDS && (p = next_pid(p, &w->pid[w->n])); )
			w->n++;
	}
	if (d)
		closedir(d);
}

/* Fields of stat(5) stand after the name's closing parenthesis. */
static void
add_use(struct tree_use *u, pid_t pid)
{
	char path[64], text[1024], *p;
	uint64_t utime, stime;
	int64_t cutime, cstime, rss;
	static long hz, page;

	if (!hz) {
		hz = sysconf(_SC_CLK_TCK);
		page = sysconf(_SC_PAGESIZE);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!slurp(path, text, sizeof(text)) || !(p = strrchr(text, ')')))
		return;
	if (sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNd64
	    " %" SCNd64 " %*d %*d %*d %*d %*u %*u %" SCNd64, &utime, &stime, &cutime, &cstime, &rss) != 5)
		return;
	u->n++;
	u->rss += (size_t)rss * (size_t)page;
	u->cpu_ms += (utime + stime + (uint64_t)cutime + (uint64_t)cstime) * 1000 / (uint64_t)hz;
}

void
tree_use(pid_t pid, struct tree_use *u)
{
	static struct walk w;

	*u = (struct tree_use){ 0 };
	w.n = 0;
	add_children(&w, pid);
	for (size_t i = 0; i < w.n; i++) {
		add_use(u, w.pid[i]);
		add_children(&w, w.pid[i]);
	}
}

/* /proc/PID/task/PID/children, without stdio. */
static void
own_path(char *path)
{
	char digits[16];
	long pid = getpid();
	int n = 0;
	char *p = path;

	do
		digits[n++] = (char)('0' + pid % 10);
	while (pid /= 10);
	for (int twice = 0; twice < 2; twice++) {
		const char *part = twice ? "/task/" : "/proc/";

		while (*part)
			*p++ = *part++;
		for (int i = n; i--; )
			*p++ = digits[i];
	}
	for (const char *part = "/children"; ; part++)
		if (!(*p++ = *part))
			return;
}

bool
tree_is_ours(void)
{
	char text[32];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 2);
	pid_t pid;

	if (n <= 0)
		return false;
	text[n] = ' ';
	text[n + 1] = '\0';
	return next_pid(text, &pid) && pid == getpid();
}

int
tree_kill_children(int sig)
{
	char path[64], text[4096];
	const char *p = text;
	pid_t pid;
	int n = 0;

	if (!tree_is_ours())
		return 0;
	own_path(path);
	slurp(path, text, sizeof(text));
	for (; (p = next_pid(p, &pid)); n++)
		kill(pid, sig);
	return n;
}
