#include "expose_int.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_word(const char *s, size_t n, const char *more)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
			return false;
	return n > 0;
}

/* name or name{label="value",...}, as metrics.h allows it. */
static bool
is_name(const char *s)
{
	size_t n = strcspn(s, "{");

	if (!is_word(s, n, "_"))
		return false;
	for (s += n; *s; ) {
		s++;
		n = strcspn(s, "=");
		if (!is_word(s, n, "_") || s[n] != '=' || s[n + 1] != '"')
			return false;
		s += n + 2;
		for (n = 0; s[n] >= ' ' && s[n] <= '~' && s[n] != '"' && s[n] != '\\'; n++)
			;
		if (s[n] != '"' || (s[n + 1] != ',' && strcmp(s + n + 1, "}") != 0))
			return false;
		s += n + 1;
		if (*s == '}')
			return true;
	}
	return true;
}

static bool
is_alive(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool
load(struct source *s, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct metrics_file *f = mem_zalloc(sizeof(*f));
	bool good = fd >= 0 && read(fd, f, sizeof(*f)) == (ssize_t)sizeof(*f) &&
	    memcmp(f->magic, METRICS_MAGIC, sizeof(f->magic)) == 0;

	s->alive = good && is_alive(fd);
	if (fd >= 0)
		close(fd);
	s->f = f;
	f->service[sizeof(f->service) - 1] = f->program[sizeof(f->program) - 1] = '\0';
	return good && is_word(f->service, strlen(f->service), "-_.@:") && is_word(f->program, strlen(f->program), "-_.");
}

size_t
expose_items(struct item *items, const struct source *s)
{
	size_t n = 0;

	for (int i = 0; i < METRICS_MAX; i++) {
		struct metric *m = &s->f->m[i];

		m->name[METRICS_NAME - 1] = '\0';
		if (m->name[0] && is_name(m->name))
			items[n++] = (struct item){ s, m->name, m, NULL };
	}
	for (int i = 0; i < METRICS_HISTS; i++) {
		struct metrics_hist *h = &s->f->h[i];

		h->name[sizeof(h->name) - 1] = h->stage[sizeof(h->stage) - 1] = '\0';
		if (is_word(h->name, strlen(h->name), "_") &&
		    (!h->stage[0] || is_word(h->stage, strlen(h->stage), "-_.")))
			items[n++] = (struct item){ s, h->name, NULL, h };
	}
	return n;
}

/* A copy of a file would be its samples again. */
static bool
is_again(const struct source *s, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(s[i].f->service, s[n].f->service) == 0 && strcmp(s[i].f->program, s[n].f->program) == 0 &&
		    s[i].f->instance == s[n].f->instance)
			return true;
	return false;
}

int
expose_read(struct source *s, const char *folder, unsigned *bad)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	if (!d)
		return -1;
	while (n < EXPOSE_FILES && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			if (load(&s[n], dirfd(d), e->d_name) && !is_again(s, n))
				n++;
			else
				++*bad, free(s[n].f);
		}
	closedir(d);
	return n;
}
