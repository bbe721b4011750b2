#include "text/tidy.h"

#include <stdint.h>
#include <string.h>

#include "json.h"
#include "text/sentence.h"

enum { LEADER = 5 };    /* so many dots in a row are no ellipsis */

static uint32_t
code_point(const char *p, size_t n)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t u = (unsigned char)p[0] & mask[n];

	for (size_t i = 1; i < n; i++)
		u = u << 6 | ((unsigned char)p[i] & 0x3f);
	return u;
}

/* Nothing is seen of it, and words with it in them are not found. */
static bool
invisible(uint32_t u)
{
	return u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0xad || (u >= 0x200b && u <= 0x200f) ||
	    (u >= 0x202a && u <= 0x202e) || (u >= 0x2060 && u <= 0x2069) || u == 0xfeff;
}

static void
put(struct buf *out, const char *p, size_t n, uint32_t u)
{
	static const char *const ligatures[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };

	if (u >= 0xfb00 && u <= 0xfb06)
		buf_adds(out, ligatures[u - 0xfb00]);
	else if (!invisible(u))
		buf_add(out, p, n);
}

/* The character at p; one byte and U+FFFD's place where it is broken. */
static size_t
next(const char *p, const char *end, uint32_t *u)
{
	size_t n = utf8_len(p, end);

	*u = n ? code_point(p, n) : 0;
	return n ? n : 1;
}

/* Dots that lead to a page's number become one sign, in place. */
static void
leaders(struct buf *out, size_t from)
{
	char *to = out->p + from, *end = out->p + out->len;

	for (const char *p = to; p < end;) {
		const char *q = p, *last = p;
		size_t dots = 0;

		for (; q < end && (*q == '.' || (*q == ' ' && dots)); q++)
			if (*q == '.') {
				dots++;
				last = q + 1;
			}
		if (dots >= LEADER) {
			memcpy(to, "\xe2\x80\xa6", 3);
			to += 3;
			p = last;
		} else {
			*to++ = *p++;
		}
	}
	out->len = (size_t)(to - out->p);
}

void
tidy_line(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len;
	size_t from = out->len, n;
	bool gap = false;
	uint32_t u;

	for (; p < end; p += n) {
		if ((n = sentence_space(p, end))) {
			gap = true;
			continue;
		}
		n = next(p, end, &u);
		if (invisible(u))
			continue;
		if (gap && out->len > from)
			buf_addc(out, ' ');
		gap = false;
		put(out, p, n, u);
	}
	leaders(out, from);
}

void
tidy_lines(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len;
	size_t from = out->len, n;
	uint32_t u;

	for (; p < end; p += n) {
		if (out->len == from && (n = sentence_space(p, end)))
			continue;
		n = next(p, end, &u);
		if (u == '\n') {
			out->len = from + sentence_trim(out->p + from, out->len - from);
			buf_addc(out, '\n');
		} else if (u == '\t') {
			buf_addc(out, '\t');
		} else {
			put(out, p, n, u);
		}
	}
	out->len = from + sentence_trim(buf_str(out) + from, out->len - from);
}

/* The last character of p. */
static size_t
last(const char *p, size_t len, uint32_t *u)
{
	size_t n = 1;

	while (n < 4 && n < len && ((unsigned char)p[len - n] & 0xC0) == 0x80)
		n++;
	*u = utf8_len(p + len - n, p + len) == n ? code_point(p + len - n, n) : 0;
	return n;
}

bool
tidy_ended(const char *p, size_t len)
{
	static const uint32_t closing[] = { '"', '\'', ')', ']', '}', 0xbb, 0x2019, 0x201d, 0x203a, 0x300d, 0x300f };
	static const uint32_t ends[] = { '.', '!', '?', ':', ';', 0x2026, 0x3002, 0xff01, 0xff1f, 0x0964 };
	uint32_t u;
	size_t n;

	for (; len; len -= n) {
		size_t i;

		n = last(p, len, &u);
		for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
			if (u == ends[i])
				return true;
		for (i = 0; i < sizeof(closing) / sizeof(*closing) && u != closing[i]; i++)
			;
		if (i == sizeof(closing) / sizeof(*closing))
			return false;
	}
	return false;
}

static bool
small(uint32_t u)
{
	return (u >= 'a' && u <= 'z') || (u >= 0xdf && u <= 0xff && u != 0xf7) || (u >= 0x3ac && u <= 0x3ce) ||
	    (u >= 0x430 && u <= 0x45f);
}

bool
tidy_small(const char *p, size_t len)
{
	uint32_t u = 0;

	if (len)
		next(p, p + len, &u);
	return small(u);
}

size_t
tidy_hyphen(const char *p, size_t len)
{
	uint32_t u;
	size_t n;

	if (!len)
		return 0;
	n = last(p, len, &u);
	if ((u != '-' && u != 0x2010) || len == n)
		return 0;
	last(p, len - n, &u);
	return small(u) ? len - n : 0;
}

bool
tidy_leads(const char *p, size_t len)
{
	const char *dots = memmem(p, len, "\xe2\x80\xa6 ", 4);

	if (!dots || dots + 4 == p + len)
		return false;
	for (dots += 4; dots < p + len; dots++)
		if (!strchr("0123456789ivxlcIVXLC", *dots))
			return false;
	return true;
}

size_t
tidy_cut(const char *p, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max && ((unsigned char)p[max] & 0xC0) == 0x80)
		max--;
	return max;
}
