#include <stdbool.h>

#include "text/charset.h"
#include "text/reference.h"

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

/* Numbers 0x80-0x9f mean windows-1252; what is no character is U+FFFD. */
static void
put_number(struct buf *o, unsigned u)
{
	struct charset c;
	char b = (char)u;

	if (u >= 0x80 && u < 0xA0)
		charset_decode(o, &b, 1, "windows-1252", &c);
	else if (u == 0 || u > 0x10FFFF || (u >= 0xD800 && u < 0xE000))
		charset_put(o, 0xFFFD);
	else
		charset_put(o, u);
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

const char *
reference_put(struct buf *o, const char *p, const char *end)
{
	size_t n = 0;
	unsigned u;

	if (++p < end && *p == '#')
		return number(o, p + 1, end);
	while (n < 10 && p + n < end && (is_alpha(p[n]) || is_digit(p[n])))
		n++;
	if (p + n < end && p[n] == ';' && (u = reference_entity(p, n, 0))) {
		if (u != 0xAD)          /* a soft hyphen is not to be seen */
			charset_put(o, u);
		return p + n + 1;
	}
	for (; n >= 2; n--)
		if ((u = reference_entity(p, n, 1))) {
			if (u != 0xAD)
				charset_put(o, u);
			return p + n;
		}
	return NULL;
}
