#include "metrics.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "mem.h"

enum { INSTANCES = 64 };

const uint64_t metrics_bound_us[METRICS_BUCKETS] = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000, 1800000000, 3600000000 };

static struct metrics_file own, *file;

/* Opened and locked, or -1: there is a writer, or (fatal) it can't be used.
 * A process's lock, not a description's: no child keeps it. */
static int
lock_file(const char *path, bool *fatal)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd >= 0 && fcntl(fd, F_SETLK, &l) == 0)
		return fd;
	*fatal = fd < 0;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* With its blocks: a write to one that the disk has no room for would be SIGBUS.
 * The descriptor stays open: closing it would give the lock back. */
static struct metrics_file *
map_file(int fd)
{
	struct metrics_file *f = MAP_FAILED;

	if ((errno = posix_fallocate(fd, 0, sizeof(*f))) == 0)
		f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return f == MAP_FAILED ? NULL : f;
}

static void
copy(char *to, size_t size, const char *from)
{
	memset(to, 0, size);
	memcpy(to, from, strnlen(from, size - 1));
}

static void
open_file(void)
{
	static struct buf path;
	const char *folder = arg_env("SLUICE_METRICS", NULL), *service = arg_env("SLUICE_SERVICE", err_prog());
	bool fatal = false;
	int fd = -1, n = 0;

	file = &own;
	for (; folder && fd < 0 && !fatal && n < INSTANCES; n++) {
		path.len = 0;
		buf_addf(&path, "%s/%s", folder, service);
		if (n)
			buf_addf(&path, ".%s", err_prog());
		if (n > 1)
			buf_addf(&path, ".%d", n - 1);
		fd = lock_file(buf_str(&path), &fatal);
	}
	if (fd >= 0 && !(file = map_file(fd)))
		file = &own;
	if (folder && file == &own)
		warn_sys("%s: metrics are not shared", buf_str(&path));
	if (memcmp(file->magic, METRICS_MAGIC, sizeof(file->magic)) != 0)
		memset(file, 0, sizeof(*file));
	copy(file->service, sizeof(file->service), service);
	copy(file->program, sizeof(file->program), err_prog());
	file->instance = folder ? (uint64_t)n - 1 : 0;
	memcpy(file->magic, METRICS_MAGIC, sizeof(file->magic));
}

static bool
is_counter(const char *name)
{
	size_t n = strcspn(name, "{");

	return n > 6 && memcmp(name + n - 6, "_total", 6) == 0;
}

uint64_t *
metrics_value(const char *name)
{
	static uint64_t spare;

	if (!file)
		open_file();
	for (int i = 0; i < METRICS_MAX && strlen(name) < METRICS_NAME; i++) {
		struct metric *m = &file->m[i];

		if (m->name[0] && strncmp(m->name, name, sizeof(m->name)) != 0)
			continue;
		if (!m->name[0] || !is_counter(name))
			m->value = 0;
		copy(m->name, sizeof(m->name), name);
		return &m->value;
	}
	warn("%.60s: no room for more metrics", name);
	return &spare;
}

struct metrics_hist *
metrics_hist(const char *name, const char *stage)
{
	static struct metrics_hist spare;
	char clean[sizeof(spare.stage)];

	if (!file)
		open_file();
	copy(clean, sizeof(clean), stage);
	for (char *p = clean; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			*p = '_';
	for (int i = 0; i < METRICS_HISTS; i++) {
		struct metrics_hist *h = &file->h[i];

		if (h->name[0] && (strncmp(h->name, name, sizeof(h->name)) != 0 || strcmp(h->stage, clean) != 0))
			continue;
		copy(h->name, sizeof(h->name), name);
		copy(h->stage, sizeof(h->stage), clean);
		return h;
	}
	return &spare;
}

void
metrics_observe(struct metrics_hist *h, uint64_t us)
{
	int i = 0;

	while (i < METRICS_BUCKETS && us > metrics_bound_us[i])
		i++;
	h->bucket[i]++;
	h->sum_us += us;
}
