#include "lexicon/lexset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem.h"

enum { AHEAD = 32 };

struct call {
	void (*found)(void *ctx, unsigned i, const struct lex_found *);
	void *ctx;
	unsigned i;
};

static void
close_all(struct lex_set *s)
{
	for (unsigned i = 0; i < s->n; i++)
		lex_close(&s->x[i]);
	s->n = 0;
	s->opened = false;
}

static bool
wanted(const struct lex_set *s, const char *name, size_t len)
{
	const char *p = s->only, *comma;

	if (!p)
		return true;
	for (;; p = comma + 1) {
		comma = strchr(p, ',');
		if ((comma ? (size_t)(comma - p) : strlen(p)) == len && memcmp(p, name, len) == 0)
			return true;
		if (!comma)
			return false;
	}
}

static int
is_vocabulary(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".lex") == 0;
}

static int
open_one(struct lex_set *s, const char *file, struct fault *f)
{
	static struct buf path;
	size_t len;

	if (s->n == LEX_MOST)
		return fault_set(f, "%s: more than %d vocabularies", s->folder, LEX_MOST);
	path.len = 0;
	buf_addf(&path, "%s/%s", s->folder, file);
	if (lex_open(&s->x[s->n], buf_str(&path), f) < 0)
		return -1;
	s->n++;
	/* Under its name it is asked for, and under its name it stands in answers. */
	len = strlen(s->x[s->n - 1].h->name);
	if (strlen(file) != len + 4 || memcmp(s->x[s->n - 1].h->name, file, len) != 0)
		return fault_set(f, "%s: is the vocabulary %s: call it %s.lex", path.p, s->x[s->n - 1].h->name, s->x[s->n - 1].h->name);
	return 0;
}

static int
open_all(struct lex_set *s, struct fault *f)
{
	struct dirent **d = NULL;
	int n = scandir(s->folder, &d, is_vocabulary, alphasort), rc = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : fault_sys(f, "read the folder %s", s->folder);
	for (int i = 0; i < n; i++) {
		if (rc == 0 && wanted(s, d[i]->d_name, strlen(d[i]->d_name) - 4))
			rc = open_one(s, d[i]->d_name, f);
		free(d[i]);
	}
	free(d);
	return rc;
}

/* Those that were asked for by name are there. */
static int
all_there(const struct lex_set *s, struct fault *f)
{
	const char *p = s->only;

	while (p) {
		size_t len = strcspn(p, ",");
		unsigned i;

		for (i = 0; i < s->n; i++)
			if (strlen(s->x[i].h->name) == len && memcmp(s->x[i].h->name, p, len) == 0)
				break;
		if (i == s->n)
			return fault_set(f, "no vocabulary %.*s in %s", (int)len, p, s->folder);
		p = p[len] ? p + len + 1 : NULL;
	}
	return 0;
}

int
lex_set_open(struct lex_set *s, struct fault *f)
{
	struct stat st = { .st_mtim = { 0, 0 } };

	if (stat(s->folder, &st) < 0 && errno != ENOENT)
		return fault_sys(f, "look at the folder %s", s->folder);
	if (s->opened && st.st_mtim.tv_sec == s->seen.tv_sec && st.st_mtim.tv_nsec == s->seen.tv_nsec)
		return 0;
	close_all(s);
	/* The time from before: what is put there while we read is seen the next time. */
	if (open_all(s, f) < 0 || all_there(s, f) < 0) {
		close_all(s);
		return -1;
	}
	s->seen = st.st_mtim;
	s->opened = true;
	/* The folder may change again in the same tick of its clock: look once more then. */
	if (time(NULL) <= st.st_mtim.tv_sec + 1)
		s->seen.tv_nsec = -1;
	return 1;
}

static void
pass_on(void *ctx, const struct lex_found *m)
{
	struct call *c = ctx;

	c->found(c->ctx, c->i, m);
}

void
lex_set_find(struct lex_set *s, const char *text, size_t len,
    void (*found)(void *ctx, unsigned i, const struct lex_found *), void *ctx)
{
	static struct lex_token t[AHEAD];
	struct call call[LEX_MOST];
	struct lex_words w;
	uint32_t word[AHEAD];
	unsigned n;

	if (!s->n)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		call[i] = (struct call){ found, ctx, i };
		s->find[i].x = &s->x[i];
		s->find[i].found = pass_on;
		s->find[i].ctx = &call[i];
	}
	lex_words_of(&w, text, len);
	/* A few words at once, so that the memory of all of them is on its way. */
	do {
		for (n = 0; n < AHEAD && lex_next(&w, &t[n]); n++)
			for (unsigned i = 0; i < s->n; i++)
				lex_prefetch(&s->x[i], t[n].hash);
		for (unsigned i = 0; i < s->n; i++) {
			for (unsigned k = 0; k < n; k++) {
				word[k] = lex_word(&s->x[i], t[k].hash, t[k].w, t[k].n);
				lex_prefetch_word(&s->x[i], word[k]);
			}
			for (unsigned k = 0; k < n; k++)
				lex_find_word(&s->find[i], &t[k], word[k]);
		}
	} while (n == AHEAD);
	for (unsigned i = 0; i < s->n; i++)
		lex_find_end(&s->find[i]);
}
