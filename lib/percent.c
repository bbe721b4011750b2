#include "percent.h"

#include <ctype.h>
#include <string.h>

#include "json.h"

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
percent_decode(struct buf *out, const char *p, size_t len)
{
	size_t from = out->len;

	for (size_t i = 0; i < len; i++) {
		int hi = -1, lo = -1;

		if (p[i] != '%') {
			buf_addc(out, p[i]);
			continue;
		}
		if (len - i > 2) {
			hi = digit(p[i + 1]);
			lo = digit(p[i + 2]);
		}
		if (hi < 0 || lo < 0)
			return -1;
		buf_addc(out, (char)(hi << 4 | lo));
		i += 2;
	}
	for (const char *q = buf_str(out) + from, *end = out->p + out->len; q < end;) {
		size_t n = utf8_len(q, end);

		if (!n || !*q)
			return -1;
		q += n;
	}
	return 0;
}

void
percent_encode(struct buf *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isalnum((unsigned char)p[i]) || (p[i] && strchr("-._~", p[i])))
			buf_addc(out, p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)p[i]);
}
