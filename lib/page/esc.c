#include "esc.h"

#include <stdint.h>
#include <string.h>

#include "json.h"

#define LOST "\xef\xbf\xbd"

/* U+0080 to U+009F, and U+202A to U+202E and U+2066 to U+2069: what comes behind would be read the other way round. */
static bool
is_mark(const unsigned char *u, size_t n)
{
	if (n == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	return n == 3 && u[0] == 0xe2 &&
	    ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

static void
add_ascii(struct buf *out, unsigned char c)
{
	switch (c) {
	case '&': buf_adds(out, "&amp;"); return;
	case '<': buf_adds(out, "&lt;"); return;
	case '>': buf_adds(out, "&gt;"); return;
	case '"': buf_adds(out, "&quot;"); return;
	case '\'': buf_adds(out, "&#39;"); return;
	case '\n': case '\t': break;
	case 0x7f: buf_adds(out, "\xe2\x90\xa1"); return;
	default:
		if (c < 0x20) {
			buf_adds(out, "\xe2\x90");
			c |= 0x80;
		}
	}
	buf_addc(out, (char)c);
}

void
esc_html(struct buf *out, const char *p, size_t len, size_t max)
{
	const char *end = p + len;

	for (; p < end && max; max--) {
		size_t n = utf8_len(p, end);

		if (n == 1)
			add_ascii(out, (unsigned char)*p);
		else if (!n || is_mark((const unsigned char *)p, n))
			buf_adds(out, LOST);
		else
			buf_add(out, p, n);
		p += n ? n : 1;
	}
	if (p < end)
		buf_adds(out, "\xe2\x80\xa6");
}

bool
esc_same(const char *p, size_t len)
{
	for (const char *end = p + len; p < end;) {
		size_t n = utf8_len(p, end);

		if (!n || is_mark((const unsigned char *)p, n) || (n == 1 && ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)))
			return false;
		p += n;
	}
	return true;
}

void
esc_htmls(struct buf *out, const char *s)
{
	if (s)
		esc_html(out, s, strlen(s), 200);
}

void
esc_whole(struct buf *out, const char *s)
{
	if (s)
		esc_html(out, s, strlen(s), SIZE_MAX);
}

void
esc_url(struct buf *out, const char *p, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < len; i++)
		if (p[i] && strchr(plain, p[i]))
			buf_addc(out, p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)p[i]);
}

void
esc_urls(struct buf *out, const char *s)
{
	if (s)
		esc_url(out, s, strlen(s));
}
