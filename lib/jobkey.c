#include "jobkey.h"

#include <string.h>

#include "b64.h"
#include "mem.h"

void
jobkey(unsigned char key[32], const char *a, size_t a_len, const char *b, size_t b_len)
{
	static struct buf both;

	both.len = 0;
	buf_add(&both, a, a_len);
	buf_addc(&both, '\1');
	for (const char *nul; (nul = memchr(b, '\0', b_len)); b_len -= (size_t)(nul + 1 - b), b = nul + 1) {
		buf_add(&both, b, (size_t)(nul - b));
		buf_adds(&both, "\xef\xbf\xbd");
	}
	buf_add(&both, b, b_len);
	sha256_raw(both.p, both.len, key);
}

size_t
jobkey_text(char text[36], const unsigned char key[16])
{
	static const char digit[] = "0123456789abcdef";
	char *p = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digit[key[i] >> 4];
		*p++ = digit[key[i] & 15];
	}
	return (size_t)(p - text);
}
