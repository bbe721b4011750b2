#include <string.h>
#include <strings.h>

#include "text/html.h"
#include "text/reference.h"
#include "text/tags.h"

/* What is owed to the output before its next character, weakest first. */
enum gap { GAP_NONE, GAP_SPACE, GAP_TAB, GAP_LINE, GAP_PARA };

struct html {
	const char *p, *end;
	struct buf *out, *title;
	size_t from;            /* where our output begins in out */
	enum gap gap;
	int pre;                /* depth of <pre> */
	bool bullet, br, titled;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
owe(struct html *h, enum gap g)
{
	if (h->gap < g)
		h->gap = g;
}

/* Pays what is owed: the next byte is text. */
static void
pay(struct html *h)
{
	static const char *const gaps[] = { "", " ", "\t", "\n", "\n\n" };
	struct buf *o = h->out;

	if (h->gap >= GAP_LINE)
		while (o->len > h->from && is_space(o->p[o->len - 1]))
			o->len--;
	if (o->len > h->from)
		buf_adds(o, gaps[h->gap]);
	if (h->bullet)
		buf_adds(o, "- ");
	h->gap = GAP_NONE;
	h->bullet = h->br = false;
}

/* Text between tags. */
static void
text(struct html *h, const char *p, const char *end)
{
	while (p < end) {
		const char *q = p;

		if (is_space(*p) && !h->pre) {
			owe(h, GAP_SPACE);
			p++;
			continue;
		}
		/* A line break in <pre> before any text of a line pays nothing. */
		if (h->gap || h->bullet)
			pay(h);
		h->br = false;
		if (*p == '&' && (q = reference_put(h->out, p, end))) {
			p = q;
			continue;
		}
		if (*p == '\0' || (*p == '\r' && h->pre)) {
			p++;
			continue;
		}
		if (*p == '\xC2' && p + 1 < end && p[1] == '\xAD') {
			p += 2;
			continue;
		}
		for (q = p + 1; q < end && *q != '&' && *q != '\0' && *q != '\r' && *q != '\xC2' &&
		    (h->pre || !is_space(*q)); q++)
			;
		buf_add(h->out, p, (size_t)(q - p));
		p = q;
	}
}

/* The first <title>: its text, white space folded. */
static void
title(struct html *h, const char *p, const char *end)
{
	struct html t = { .out = h->title, .from = h->title->len };

	if (!h->titled)
		text(&t, p, end);
	h->titled = true;
}

/* Where the end tag of a raw element begins; the end of input if nowhere. */
static const char *
raw_end(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		if ((size_t)(end - p) >= n + 2 && p[1] == '/' && strncasecmp(p + 2, name, n) == 0 &&
		    ((size_t)(end - p) == n + 2 || is_space(p[n + 2]) || p[n + 2] == '/' || p[n + 2] == '>'))
			return p;
		p++;
	}
	return end;
}

/* p is behind a tag's name: the byte after its '>'. A quote counts only after '='. */
static const char *
tag_end(const char *p, const char *end)
{
	for (; p < end && *p != '>'; p++) {
		if (*p != '=')
			continue;
		while (p + 1 < end && is_space(p[1]))
			p++;
		if (p + 1 < end && (p[1] == '"' || p[1] == '\'')) {
			p = memchr(p + 2, p[1], (size_t)(end - p - 2));
			if (!p)
				return end;
		}
	}
	return p < end ? p + 1 : end;
}

static void
act(struct html *h, const struct tag *t, bool closing, bool empty)
{
	const char *from = h->p;

	switch ((enum tag_kind)t->kind) {
	case TAG_BR:
		owe(h, h->br ? GAP_PARA : GAP_LINE);
		h->br = true;
		break;
	case TAG_LINE:
		owe(h, GAP_LINE);
		break;
	case TAG_PARA:
		owe(h, GAP_PARA);
		break;
	case TAG_CELL:
		owe(h, GAP_TAB);
		break;
	case TAG_LI:
		owe(h, GAP_LINE);
		h->bullet = !closing;
		break;
	case TAG_PRE:
		owe(h, GAP_PARA);
		if (!closing)
			h->pre++;
		else if (h->pre)
			h->pre--;
		/* The line break right after <pre> is not part of it. */
		if (!closing && h->p < h->end && *h->p == '\n')
			h->p++;
		break;
	case TAG_RAW:
	case TAG_TITLE:
		if (closing || empty)
			break;
		h->p = raw_end(h->p, h->end, t->name);
		if (t->kind == TAG_TITLE)
			title(h, from, h->p);
		break;
	}
}

/* h->p is at "</x" or "<x". */
static void
tag(struct html *h)
{
	bool closing = h->p[1] == '/', empty;
	const char *name = h->p + 1 + closing, *p = name;
	const struct tag *t;

	while (p < h->end && !is_space(*p) && *p != '/' && *p != '>')
		p++;
	t = tag_find(name, (size_t)(p - name));
	h->p = tag_end(p, h->end);
	empty = h->p[-1] == '>' && h->p[-2] == '/';
	/* Only in foreign content does "/>" close: <script/> does not. */
	if (t)
		act(h, t, closing, empty && strcmp(t->name, "svg") == 0);
}

/* h->p is at "<!" or "<?" or "</" without a name. */
static void
comment(struct html *h)
{
	size_t left = (size_t)(h->end - h->p);
	const char *q;

	if (left >= 4 && memcmp(h->p, "<!--", 4) == 0) {
		q = memmem(h->p + 2, left - 2, "-->", 3);
		h->p = q ? q + 3 : h->end;
		return;
	}
	q = memchr(h->p, '>', left);
	h->p = q ? q + 1 : h->end;
}

void
html_text(struct buf *out, struct buf *ttl, const char *p, size_t len)
{
	struct html h = { .p = p, .end = p + len, .out = out, .title = ttl, .from = out->len };

	while (h.p < h.end) {
		const char *q = memchr(h.p, '<', (size_t)(h.end - h.p));
		char c, d;

		text(&h, h.p, q ? q : h.end);
		if (!q)
			break;
		h.p = q;
		c = q + 1 < h.end ? q[1] : 0;
		d = q + 2 < h.end ? q[2] : 0;
		if (is_alpha(c) || (c == '/' && is_alpha(d))) {
			tag(&h);
		} else if (c == '!' || c == '?' || (c == '/' && d)) {
			comment(&h);
		} else {
			text(&h, q, q + 1);
			h.p = q + 1;
		}
	}
	while (out->len > h.from && is_space(out->p[out->len - 1]))
		out->len--;
}
