#include "text/markup.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "text/reference.h"
#include "text/tidy.h"

enum { TAG_MOST = 1024 };       /* bytes; longer ones are text */

enum kind { NONE, INSIDE, BETWEEN };

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '-';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
among(const char *const *names, const char *p, size_t len)
{
	for (; *names; names++)
		if (strlen(*names) == len && strncasecmp(*names, p, len) == 0)
			return true;
	return false;
}

/* Without a prefix only what is known is a tag. */
static enum kind
kind_of(const char *name, size_t len, bool prefixed)
{
	static const char *const inside[] = { "i", "b", "u", "a", "em", "strong", "sub", "sup", "span", "small", "tt", "font",
	    "italic", "bold", "underline", "sc", "monospace", "roman", "inf", "scp", "ext-link", "xref", "named-content",
	    "inline-formula", "math", "mi", "mn", "mo", "mrow", "msub", "msup", "msubsup", "mtext", "mspace", "mfrac", NULL };
	static const char *const between[] = { "p", "br", "div", "title", "sec", "abstract", "list", "list-item", "label", "ul",
	    "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "td", "th", "disp-formula", "section", NULL };

	return among(inside, name, len) ? INSIDE : prefixed || among(between, name, len) ? BETWEEN : NONE;
}

/* p is at '<'. *next gets where the tag ends. */
static enum kind
tag(const char *p, const char *end, const char **next)
{
	const char *name = p + 1, *q, *close;
	bool prefixed = false;
	size_t len;

	if (name < end && *name == '/')
		name++;
	if (name == end || !is_alpha(*name))
		return NONE;
	for (q = name; q < end && is_name(*q); q++)
		;
	if (q + 1 < end && *q == ':' && is_alpha(q[1])) {
		prefixed = true;
		for (name = ++q; q < end && is_name(*q); q++)
			;
	}
	len = (size_t)(q - name);
	close = memchr(q, '>', (size_t)(end - q) < TAG_MOST ? (size_t)(end - q) : TAG_MOST);
	if (!close)
		return NONE;
	*next = close + 1;
	while (q < close && is_space(*q))
		q++;
	/* Behind a name stand attributes, or nothing. */
	if (q < close && !(*q == '/' && q + 1 == close) && !memchr(q, '=', (size_t)(close - q)))
		return NONE;
	return memchr(q, '<', (size_t)(close - q)) ? NONE : kind_of(name, len, prefixed);
}

void
markup_line(struct buf *out, const char *p, size_t len)
{
	static struct buf plain;
	const char *end = p + len, *next;

	plain.len = 0;
	while (p < end) {
		enum kind k = *p == '<' ? tag(p, end, &next) : NONE;

		if (k == BETWEEN)
			buf_addc(&plain, ' ');
		if (k == NONE && !(*p == '&' && (next = reference_put(&plain, p, end)))) {
			buf_addc(&plain, *p);
			next = p + 1;
		}
		p = next;
	}
	tidy_line(out, plain.p ? plain.p : "", plain.len);
}
