#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/charset.h"
#include "text/html.h"

/* What is owed to the output before its next character, weakest first. */
enum gap { GAP_NONE, GAP_SPACE, GAP_TAB, GAP_LINE, GAP_PARA };

enum kind { K_NONE, K_BR, K_LINE, K_PARA, K_CELL, K_LI, K_PRE, K_RAW, K_TITLE };

struct html {
	const char *p, *end;
	struct buf *out, *title;
	size_t from;            /* where our output begins in out */
	enum gap gap;
	int pre;                /* depth of <pre> */
	bool bullet, br, titled;
};

static const struct tag {
	char name[11];
	char kind;
} tags[] = {
	{ "address", K_PARA }, { "article", K_PARA }, { "aside", K_PARA }, { "blockquote", K_PARA },
	{ "body", K_PARA }, { "br", K_BR }, { "caption", K_LINE }, { "center", K_LINE },
	{ "dd", K_LINE }, { "details", K_PARA }, { "dialog", K_PARA }, { "dir", K_PARA },
	{ "div", K_LINE }, { "dl", K_PARA }, { "dt", K_LINE }, { "fieldset", K_PARA },
	{ "figcaption", K_LINE }, { "figure", K_PARA }, { "footer", K_PARA }, { "form", K_PARA },
	{ "h1", K_PARA }, { "h2", K_PARA }, { "h3", K_PARA }, { "h4", K_PARA }, { "h5", K_PARA },
	{ "h6", K_PARA }, { "head", K_PARA }, { "header", K_PARA }, { "hr", K_PARA },
	{ "html", K_PARA }, { "iframe", K_RAW }, { "legend", K_LINE }, { "li", K_LI },
	{ "listing", K_PRE }, { "main", K_PARA }, { "menu", K_PARA }, { "nav", K_PARA },
	{ "noembed", K_RAW }, { "noframes", K_RAW }, { "noscript", K_RAW }, { "ol", K_PARA },
	{ "optgroup", K_LINE }, { "option", K_LINE }, { "p", K_PARA }, { "pre", K_PRE },
	{ "script", K_RAW }, { "section", K_PARA }, { "select", K_LINE }, { "style", K_RAW },
	{ "summary", K_LINE }, { "svg", K_RAW }, { "table", K_PARA }, { "tbody", K_LINE },
	{ "td", K_CELL }, { "template", K_RAW }, { "textarea", K_RAW }, { "tfoot", K_LINE },
	{ "th", K_CELL }, { "thead", K_LINE }, { "title", K_TITLE }, { "tr", K_LINE },
	{ "ul", K_PARA }, { "xmp", K_RAW },
};

static int
by_name(const void *name, const void *t)
{
	return strcmp(name, ((const struct tag *)t)->name);
}

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

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
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

static void
put_code(struct buf *o, unsigned u)
{
	if (u < 0x80) {
		buf_addc(o, (char)u);
	} else if (u < 0x800) {
		buf_addc(o, (char)(0xC0 | u >> 6));
		buf_addc(o, (char)(0x80 | (u & 63)));
	} else if (u < 0x10000) {
		buf_addc(o, (char)(0xE0 | u >> 12));
		buf_addc(o, (char)(0x80 | (u >> 6 & 63)));
		buf_addc(o, (char)(0x80 | (u & 63)));
	} else {
		buf_addc(o, (char)(0xF0 | u >> 18));
		buf_addc(o, (char)(0x80 | (u >> 12 & 63)));
		buf_addc(o, (char)(0x80 | (u >> 6 & 63)));
		buf_addc(o, (char)(0x80 | (u & 63)));
	}
}

/* Numbers 0x80-0x9f mean windows-1252; what is no character is U+FFFD. */
static void
put_number(struct buf *o, unsigned u)
{
	struct charset c;
	char b = (char)u;

	if (u >= 0x80 && u < 0xA0)
		charset_decode(o, &b, 1, "windows-1252", &c);
	else if (u == 0 || u > 0x10FFFF || (u >= 0xD800 && u < 0xE000))
		put_code(o, 0xFFFD);
	else
		put_code(o, u);
}

/* p is after "&#". Appends the character; returns where it ends, or NULL. */
static const char *
number(struct buf *o, const char *p, const char *end)
{
	bool hex = p < end && (*p == 'x' || *p == 'X');
	const char *from = hex ? ++p : p;
	unsigned u = 0;

	for (; p < end; p++) {
		int d = is_digit(*p) ? *p - '0' : hex && is_alpha(*p) ? (*p | 32) - 'a' + 10 : 99;

		if (d >= (hex ? 16 : 10))
			break;
		if (u <= 0x10FFFF)
			u = u * (hex ? 16 : 10) + (unsigned)d;
	}
	if (p == from)
		return NULL;
	put_number(o, u);
	return p < end && *p == ';' ? p + 1 : p;
}

/* p is at "&". Appends what the reference means and returns where it ends, or
 * NULL: it is only an ampersand. */
static const char *
reference(struct buf *o, const char *p, const char *end)
{
	size_t n = 0;
	unsigned u;

	if (++p < end && *p == '#')
		return number(o, p + 1, end);
	while (n < 10 && p + n < end && (is_alpha(p[n]) || is_digit(p[n])))
		n++;
	if (p + n < end && p[n] == ';' && (u = html_entity(p, n, 0))) {
		if (u != 0xAD)          /* a soft hyphen is not to be seen */
			put_code(o, u);
		return p + n + 1;
	}
	for (; n >= 2; n--)
		if ((u = html_entity(p, n, 1))) {
			if (u != 0xAD)
				put_code(o, u);
			return p + n;
		}
	return NULL;
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
		if (*p == '&' && (q = reference(h->out, p, end))) {
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

	switch ((enum kind)t->kind) {
	case K_NONE:
		break;
	case K_BR:
		owe(h, h->br ? GAP_PARA : GAP_LINE);
		h->br = true;
		break;
	case K_LINE:
		owe(h, GAP_LINE);
		break;
	case K_PARA:
		owe(h, GAP_PARA);
		break;
	case K_CELL:
		owe(h, GAP_TAB);
		break;
	case K_LI:
		owe(h, GAP_LINE);
		h->bullet = !closing;
		break;
	case K_PRE:
		owe(h, GAP_PARA);
		if (!closing)
			h->pre++;
		else if (h->pre)
			h->pre--;
		/* The line break right after <pre> is not part of it. */
		if (!closing && h->p < h->end && *h->p == '\n')
			h->p++;
		break;
	case K_RAW:
	case K_TITLE:
		if (closing || empty)
			break;
		h->p = raw_end(h->p, h->end, t->name);
		if (t->kind == K_TITLE)
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
	char key[sizeof tags->name];
	const struct tag *t = NULL;
	size_t n = 0;

	for (; p < h->end && !is_space(*p) && *p != '/' && *p != '>'; p++)
		if (n < sizeof key)
			key[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	h->p = tag_end(p, h->end);
	empty = h->p[-1] == '>' && h->p[-2] == '/';
	if (n < sizeof key) {
		key[n] = 0;
		t = bsearch(key, tags, sizeof tags / sizeof *tags, sizeof *t, by_name);
	}
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
