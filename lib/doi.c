#include "doi.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "json.h"

static bool
skip(const char **p, const char *end, const char *what)
{
	size_t n = strlen(what);

	if ((size_t)(end - *p) < n || strncasecmp(*p, what, n) != 0)
		return false;
	*p += n;
	return true;
}

static void
skip_space(const char **p, const char **end)
{
	while (*p < *end && strchr(" \t\r\n", **p) && **p)
		(*p)++;
	while (*end > *p && strchr(" \t\r\n", (*end)[-1]) && (*end)[-1])
		(*end)--;
}

/* The resolver's name in a URL: what follows has escapes. */
static bool
skip_resolver(const char **p, const char *end)
{
	const char *at = *p;

	if (!skip(&at, end, "https://") && !skip(&at, end, "http://"))
		at = *p;
	(void)(skip(&at, end, "dx.") || skip(&at, end, "www."));
	if (!skip(&at, end, "doi.org/"))
		return false;
	*p = at;
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "10." digits, perhaps more of them after dots, "/": what names the registrant. */
static bool
has_prefix(const char *p, const char *end)
{
	const char *from;

	if (!skip(&p, end, "10."))
		return false;
	for (from = p; p < end && *p != '/'; p++)
		if ((*p < '0' || *p > '9') && (*p != '.' || p == from || p[-1] == '.'))
			return false;
	return p - from >= 4 && p[-1] != '.' && end - p > 1;
}

/* No byte of it is white space or control, all of it is UTF-8, and it can stand
 * in a URL's path without climbing out of it. */
static bool
is_clean(const char *p, const char *end)
{
	for (const char *at = p; (at = memchr(at, '/', (size_t)(end - at))); at++) {
		size_t n = strspn(at + 1, ".");

		if (n >= 1 && n <= 2 && (at + 1 + n == end || at[1 + n] == '/'))
			return false;
	}
	while (p < end) {
		size_t n = utf8_len(p, end);

		if (!n || (n == 1 && (*p <= ' ' || *p == 0x7f)))
			return false;
		p += n;
	}
	return true;
}

int
doi_normal(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len;
	size_t from = out->len;
	bool escaped;

	skip_space(&p, &end);
	escaped = skip_resolver(&p, end);
	if (!escaped && (skip(&p, end, "doi:") || skip(&p, end, "info:doi/"))) {
		skip_space(&p, &end);
		escaped = skip_resolver(&p, end);
	}
	if (end - p > DOI_MAX * 3)
		return -1;
	for (; p < end; p++) {
		char c = *p;

		if (escaped && c == '%' && end - p > 2 && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			c = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		}
		buf_addc(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	buf_str(out);
	if (out->len - from <= DOI_MAX && has_prefix(out->p + from, out->p + out->len) &&
	    is_clean(out->p + from, out->p + out->len))
		return 0;
	out->len = from;
	return -1;
}
