#include "header.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "mem.h"

#define BLANK " \t"
enum { HEAD = 64 << 10, NAMES = 1024, TOPIC_MAX = 249, PIPELINE_MAX = 64 };

/* What is known, and of which folder. */
static struct { char *topic, *pipeline; } known[NAMES];
static size_t known_n;
static char *known_of;

static bool
is_of(const char *s, const char *set, size_t max)
{
	size_t n = strspn(s, set);

	return n && n <= max && !s[n];
}

static bool
begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

bool
header_event(const char *topic)
{
	return is_of(topic, CHECK_LOWER CHECK_UPPER CHECK_DIGIT "._-", TOPIC_MAX) && !begins(topic, "ingest.") &&
	    !begins(topic, "jobs.") && !begins(topic, "sluice.");
}

bool
header_own(const char *topic)
{
	return header_event(topic) && !begins(topic, "mapping.");
}

char *
header_word(char *value)
{
	value += strspn(value, BLANK "\"");
	value[strcspn(value, BLANK "\"\r")] = 0;
	return value;
}

static void
lines_of(const char *name, char *text, header_fn *f, void *arg)
{
	char *end, *key, *value;
	size_t len;

	for (unsigned n = 1; *text == '#'; text = end, n++) {
		end = text + strcspn(text, "\n");
		if (*end)
			*end++ = 0;
		if (text[1] != ':')
			continue;
		key = text + 2 + strspn(text + 2, BLANK);
		value = key + strcspn(key, BLANK);
		if (*value)
			*value++ = 0;
		value += strspn(value, BLANK);
		for (len = strlen(value); len && strchr(BLANK, value[len - 1]); len--)
			value[len - 1] = 0;
		f(arg, name, n, key, value);
	}
}

static int
read_file(int dir, const char *name, bool live, header_fn *f, void *arg)
{
	char head[HEAD];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = EINVAL;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!live || faccessat(dir, name, X_OK, 0) == 0)) {
		n = read(fd, head, HEAD - 1);
		err = errno;
	}
	close(fd);
	if (n < 0) {
		errno = err;
		return -1;
	}
	head[n] = 0;
	lines_of(name, head, f, arg);
	return 0;
}

int
header_read(int dir, const char *name, header_fn *f, void *arg)
{
	return read_file(dir, name, false, f, arg);
}

int
header_each(const char *folder, header_fn *f, void *arg)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (!d)
		return -1;
	while ((e = readdir(d)))
		if (is_of(e->d_name, CHECK_LOWER CHECK_DIGIT "-", PIPELINE_MAX) && e->d_name[0] != '-')
			(void)read_file(dirfd(d), e->d_name, true, f, arg);
	closedir(d);
	return 0;
}

static void
keep(void *arg, const char *pipeline, unsigned n, char *key, char *value)
{
	char *topic;

	(void)arg;
	(void)n;
	if (known_n == NAMES || strcmp(key, "topic") != 0 || !header_own(topic = header_word(value)))
		return;
	known[known_n].topic = mem_dup(topic, strlen(topic));
	known[known_n++].pipeline = mem_dup(pipeline, strlen(pipeline));
}

static void
forget(void)
{
	while (known_n) {
		free(known[--known_n].topic);
		free(known[known_n].pipeline);
	}
	free(known_of);
	known_of = NULL;
}

const char *
header_pipeline(const char *folder, const char *topic)
{
	const char *found = NULL;

	if (!known_of || strcmp(known_of, folder) != 0) {
		forget();
		known_of = mem_dup(folder, strlen(folder));
		(void)header_each(folder, keep, NULL);
	}
	for (size_t i = 0; i < known_n; i++)
		if (!strcmp(known[i].topic, topic)) {
			if (found)
				return NULL;
			found = known[i].pipeline;
		}
	return found;
}
