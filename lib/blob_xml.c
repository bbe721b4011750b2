#include "blob_xml.h"

#include <string.h>

enum { DEPTH = 8, PATH = 256 };

struct xml {
	const char *p, *end;
	char path[PATH];        /* of the open elements */
	size_t cut[DEPTH];      /* where the path ended before each */
	int depth;
	const char *text;       /* where the text of the innermost begins; NULL: it has elements */
	bool any;               /* there was a root */
	void (*ended)(void *ctx, const char *path, const char *text, size_t text_len);
	void *ctx;
};

static bool
space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':' || c == '.';
}

static size_t
name_len(const struct xml *x)
{
	size_t n = 0;

	while (x->p + n < x->end && letter(x->p[n]))
		n++;
	return n;
}

/* To behind the '>' of a tag, over its attributes. Returns 1: it ended in "/>", 0, or -1. */
static int
rest_of_tag(struct xml *x)
{
	char quote = 0, last = 0;

	for (; x->p < x->end; last = *x->p++) {
		if (quote) {
			quote = *x->p == quote ? 0 : quote;
		} else if (*x->p == '"' || *x->p == '\'') {
			quote = *x->p;
		} else if (*x->p == '<') {
			return -1;
		} else if (*x->p == '>') {
			x->p++;
			return last == '/';
		}
	}
	return -1;
}

static void
close_one(struct xml *x, const char *text_end)
{
	x->ended(x->ctx, x->path, x->text, x->text ? (size_t)(text_end - x->text) : 0);
	x->path[x->cut[--x->depth]] = 0;
	x->text = NULL;
}

static int
open_tag(struct xml *x)
{
	size_t n = name_len(x), at = strlen(x->path);
	int empty;

	if (!n || x->depth == DEPTH || at + n + 2 > PATH || (!x->depth && x->any))
		return -1;
	x->any = true;
	x->cut[x->depth++] = at;
	if (at)
		x->path[at++] = '/';
	memcpy(x->path + at, x->p, n);
	x->path[at + n] = 0;
	x->p += n;
	if (x->p < x->end && !space(*x->p) && *x->p != '>' && *x->p != '/')
		return -1;
	if ((empty = rest_of_tag(x)) < 0)
		return -1;
	x->text = x->p;
	if (empty)
		close_one(x, x->p);
	return 0;
}

/* begin: where "</" stood. */
static int
close_tag(struct xml *x, const char *begin)
{
	size_t n = name_len(x), at;

	if (!x->depth)
		return -1;
	at = x->cut[x->depth - 1] + (x->cut[x->depth - 1] ? 1 : 0);
	if (strlen(x->path + at) != n || memcmp(x->path + at, x->p, n) != 0)
		return -1;
	for (x->p += n; x->p < x->end && space(*x->p); x->p++)
		;
	if (x->p == x->end || *x->p++ != '>')
		return -1;
	close_one(x, begin);
	return 0;
}

/* <?xml ... ?> in front. */
static int
declaration(struct xml *x)
{
	for (; x->p < x->end && space(*x->p); x->p++)
		;
	if (x->end - x->p < 2 || memcmp(x->p, "<?", 2) != 0)
		return 0;
	for (; x->end - x->p >= 2; x->p++)
		if (memcmp(x->p, "?>", 2) == 0) {
			x->p += 2;
			return 0;
		}
	return -1;
}

int
blob_xml(const char *p, size_t len, void (*end)(void *ctx, const char *path, const char *text, size_t text_len), void *ctx)
{
	struct xml x = { .p = p, .end = p + len, .ended = end, .ctx = ctx };

	if (!len || declaration(&x) < 0)
		return -1;
	while (x.p < x.end) {
		const char *begin = x.p;
		int r;

		if (*x.p != '<') {      /* text: of the innermost, or space between elements */
			if (!(x.depth && x.text) && !space(*x.p))
				return -1;
			x.p++;
			continue;
		}
		if (++x.p < x.end && *x.p == '/') {
			x.p++;
			r = close_tag(&x, begin);
		} else {
			for (const char *q = x.text; x.depth && q && q < begin; q++)
				if (!space(*q))
					return -1;      /* text and elements in one */
			r = open_tag(&x);
		}
		if (r < 0)
			return -1;
	}
	return x.any && !x.depth ? 0 : -1;
}
