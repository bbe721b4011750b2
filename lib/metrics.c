#include "metrics.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "mem.h"

static struct metrics_file *file;

static struct metrics_file *
map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	struct metrics_file *f = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(*f)) == 0)
		f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f == MAP_FAILED)
		warn_sys("%s: metrics are not shared", path);
	if (fd >= 0)
		close(fd);
	return f == MAP_FAILED ? NULL : f;
}

static void
open_file(void)
{
	static struct metrics_file own;
	static struct buf path;
	const char *folder = arg_env("SLUICE_METRICS", NULL);

	if (folder) {
		buf_addf(&path, "%s/%s", folder, arg_env("SLUICE_SERVICE", err_prog()));
		file = map_file(buf_str(&path));
	}
	if (!file)
		file = &own;
	if (memcmp(file->magic, METRICS_MAGIC, sizeof(file->magic)) != 0) {
		memset(file, 0, sizeof(*file));
		memcpy(file->magic, METRICS_MAGIC, sizeof(file->magic));
	}
}

static int
is_counter(const char *name)
{
	size_t n = strlen(name);

	return n > 6 && strcmp(name + n - 6, "_total") == 0;
}

uint64_t *
metrics_value(const char *name)
{
	static uint64_t spare;

	if (!file)
		open_file();
	for (int i = 0; i < METRICS_MAX; i++) {
		struct metric *m = &file->m[i];

		if (m->name[0] && strncmp(m->name, name, sizeof(m->name)) != 0)
			continue;
		if (!m->name[0] || !is_counter(name))
			m->value = 0;
		strncpy(m->name, name, sizeof(m->name) - 1);
		return &m->value;
	}
	warn("%s: no room for more metrics", name);
	return &spare;
}
