#include "header.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "mem.h"

enum { HEAD = 64 << 10, NAMES = 1024, TOPIC_MAX = 249, PIPELINE_MAX = 64 };

/* What is known, and of which folder. */
static struct { char *topic, *pipeline; } known[NAMES];
static size_t known_n;
static char *known_of;

static bool
shared(const char *topic)
{
	return !strncmp(topic, "ingest.", 7) || !strncmp(topic, "jobs.", 5) || !strncmp(topic, "sluice.", 7) ||
	    !strncmp(topic, "mapping.", 8);
}

static bool
is_name(const char *s)
{
	size_t n = strspn(s, CHECK_LOWER CHECK_DIGIT "-");

	return n && n <= PIPELINE_MAX && !s[n];
}

/* The value of "#: topic VALUE" in the lines at the top of text that begin with '#'; its
 * end is marked by a NUL. */
static char *
topic_in(char *text)
{
	char *end, *p, *value;

	for (; *text == '#'; text = end) {
		end = text + strcspn(text, "\n");
		if (*end)
			*end++ = 0;
		if (text[1] != ':')
			continue;
		p = text + 2 + strspn(text + 2, " \t");
		if (strncmp(p, "topic", 5) != 0 || !strchr(" \t", p[5]))
			continue;
		value = p + 5 + strspn(p + 5, " \t\"");
		value[strcspn(value, " \t\"\r")] = 0;
		return value;
	}
	return NULL;
}

/* An executable file's first bytes, as a string; false: it is none. */
static bool
head_of(int dir, const char *name, char head[HEAD])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && faccessat(dir, name, X_OK, 0) == 0)
		n = read(fd, head, HEAD - 1);
	close(fd);
	head[n > 0 ? n : 0] = 0;
	return n > 0;
}

static void
read_folder(const char *folder)
{
	static char head[HEAD];
	DIR *d = opendir(folder);
	struct dirent *e;
	char *topic;

	known_of = mem_dup(folder, strlen(folder));
	while (d && known_n < NAMES && (e = readdir(d))) {
		if (!is_name(e->d_name) || !head_of(dirfd(d), e->d_name, head) ||
		    !(topic = topic_in(head)) || !*topic || strlen(topic) > TOPIC_MAX || shared(topic))
			continue;
		known[known_n].topic = mem_dup(topic, strlen(topic));
		known[known_n++].pipeline = mem_dup(e->d_name, strlen(e->d_name));
	}
	if (d)
		closedir(d);
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
		read_folder(folder);
	}
	for (size_t i = 0; i < known_n; i++)
		if (!strcmp(known[i].topic, topic)) {
			if (found)
				return NULL;
			found = known[i].pipeline;
		}
	return found;
}
