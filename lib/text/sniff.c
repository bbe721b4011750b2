/* How an HTML document begins, and what it says of its encoding. */
#include <string.h>
#include <strings.h>

#include "text/charset.h"
#include "text/html.h"

enum { META_WITHIN = 4096 };

static size_t
skip_space(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && (p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r')))
		i++;
	return i;
}

static bool
begins(const char *p, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len > n && strncasecmp(p, word, n) == 0 &&
	    (p[n] == ' ' || p[n] == '>' || (p[n] >= '\t' && p[n] <= '\r'));
}

bool
html_sniff(const char *p, size_t len)
{
	static const char *const first[] = { "<!doctype html", "<html", "<head", "<body" };
	size_t i = len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, n;

	if (len > META_WITHIN)
		len = META_WITHIN;
	for (;;) {
		i += skip_space(p + i, len - i);
		for (size_t k = 0; k < sizeof first / sizeof *first; k++)
			if (begins(p + i, len - i, first[k]))
				return true;
		/* Past an XML declaration or a comment. */
		if (len - i < 4 || (memcmp(p + i, "<?xml", 4) != 0 && memcmp(p + i, "<!--", 4) != 0))
			return false;
		n = p[i + 1] == '?' ? 1 : 3;
		const char *q = memmem(p + i, len - i, n == 1 ? ">" : "-->", n);

		if (!q)
			return false;
		i = (size_t)(q - p) + n;
	}
}

const char *
html_charset(const char *p, size_t len, size_t *label_len)
{
	const char *end = p + (len > META_WITHIN ? META_WITHIN : len), *q = p, *stop, *label;

	while ((q = memchr(q, '<', (size_t)(end - q)))) {
		if (end - q > 5 && strncasecmp(q, "<meta", 5) == 0) {
			if (!(stop = memchr(q, '>', (size_t)(end - q))))
				return NULL;
			if ((label = charset_of_type(q, (size_t)(stop - q), label_len)))
				return label;
		}
		q++;
	}
	return NULL;
}
