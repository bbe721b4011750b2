/* What a page says of itself in its <meta> elements. */
#include <string.h>
#include <strings.h>

#include "text/html.h"
#include "text/reference.h"
#include "text/tags.h"

struct attr {
	const char *name, *val;
	size_t name_len, val_len;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool
is(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

/* The value behind '='. Returns its end, or NULL: the page ends inside it. */
static const char *
value(const char *p, const char *end, struct attr *a)
{
	const char *q;

	while (p < end && is_space(*p))
		p++;
	if (p < end && (*p == '"' || *p == '\'')) {
		if (!(q = memchr(p + 1, *p, (size_t)(end - p - 1))))
			return NULL;
		a->val = p + 1;
		a->val_len = (size_t)(q - p - 1);
		return q + 1;
	}
	for (q = p; q < end && !is_space(*q) && *q != '>'; q++)
		;
	a->val = p;
	a->val_len = (size_t)(q - p);
	return q;
}

/* The next attribute of a tag. Returns where it ends; NULL: there is none, *at is behind the tag
 * or at the page's end. */
static const char *
next_attr(const char **at, const char *end, struct attr *a)
{
	const char *p = *at, *q;

	while (p < end && (is_space(*p) || *p == '/'))
		p++;
	if (p == end || *p == '>') {
		*at = p < end ? p + 1 : end;
		return NULL;
	}
	for (q = p + 1; q < end && !is_space(*q) && *q != '=' && *q != '>' && *q != '/'; q++)
		;
	*a = (struct attr){ .name = p, .name_len = (size_t)(q - p) };
	while (q < end && is_space(*q))
		q++;
	if (q < end && *q == '=' && !(q = value(q + 1, end, a)))
		*at = end;
	return q;
}

/* False: there is nothing but white space. */
static bool
put(struct buf *out, const char *p, size_t len)
{
	const char *end, *q;
	size_t from = out->len;

	if (!len)
		return false;
	end = p + len;
	while (p < end && is_space(*p))
		p++;
	while (p < end && is_space(end[-1]))
		end--;
	while (p < end)
		if (*p == '&' && (q = reference_put(out, p, end)))
			p = q;
		else
			buf_addc(out, *p++);
	return out->len > from;
}

/* p is behind a tag's name. Returns its end. content: the attribute, empty where the tag has another name than NAME. */
static const char *
tag(const char *p, const char *end, const char *name, struct attr *content)
{
	struct attr a;
	const char *q;
	bool named = false;

	*content = (struct attr){ 0 };
	while ((q = next_attr(&p, end, &a))) {
		p = q;
		if (a.val && (is(a.name, a.name_len, "name") || is(a.name, a.name_len, "property")))
			named = named || is(a.val, a.val_len, name);
		else if (!content->val && is(a.name, a.name_len, "content"))
			*content = a;
	}
	if (!named)
		content->val_len = 0;
	return p;
}

/* Behind an element in which nothing is read, p being behind its first tag. */
static const char *
skip(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		if ((size_t)(end - p) >= n + 2 && p[1] == '/' && strncasecmp(p + 2, name, n) == 0)
			return p + 2 + n;
		p++;
	}
	return end;
}

static const char *
skip_comment(const char *p, const char *end)
{
	const char *q = memmem(p, (size_t)(end - p), "-->", 3);

	return q ? q + 3 : end;
}

bool
html_meta(struct buf *out, const char *p, size_t len, const char *name)
{
	const char *end = p + len;
	struct attr content;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		const char *word = ++p;
		const struct tag *t;

		if (end - p >= 3 && memcmp(p, "!--", 3) == 0) {
			p = skip_comment(p + 1, end);
			continue;
		}
		while (p < end && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
			p++;
		if (p == word)
			continue;
		t = tag_find(word, (size_t)(p - word));
		len = (size_t)(p - word);
		p = tag(p, end, name, &content);
		if (is(word, len, "meta") && put(out, content.val, content.val_len))
			return true;
		if (t && (t->kind == TAG_RAW || t->kind == TAG_TITLE))
			p = skip(p, end, t->name);
	}
	return false;
}
