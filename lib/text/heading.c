#include "text/heading.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "text/tidy.h"

void
heading_reset(struct headings *h)
{
	h->n = 0;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A heading's number, "2", "2.1" or "A.3", without the full stop at its end; empty
 * where there is none: a year or "3D" is none. */
static void
number_of(char out[24], const char *p, size_t len)
{
	size_t i = 0, n = 0, parts = 0;

	out[0] = '\0';
	for (;;) {
		size_t from = i;

		if (!parts && i < len && p[i] >= 'A' && p[i] <= 'Z' && i + 1 < len && p[i + 1] == '.' &&
		    i + 2 < len && digit(p[i + 2]))
			i++;
		while (i < len && digit(p[i]) && i - from < 4)
			i++;
		if (i == from || i - from > 3)
			break;
		parts++;
		n = i;
		if (i >= len || p[i] != '.')
			break;
		i++;
	}
	if (!n || n >= 24 || (i < len && p[i] != ' ') || i - n > 1)
		return;
	memcpy(out, p, n);
	out[n] = '\0';
}

/* "2" is above "2.1". */
static bool
above(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n && strncmp(a, b, n) == 0 && b[n] == '.';
}

void
heading_enter(struct headings *h, const char *text, size_t len, unsigned level)
{
	struct heading_level *l;
	char number[24];

	number_of(number, text, len);
	for (size_t i = 0; i < h->n; i++)
		if (above(h->l[i].number, number) && level <= h->l[i].level)
			level = h->l[i].level + 1;
	while (h->n && h->l[h->n - 1].level >= level)
		h->n--;
	if (h->n == HEADING_DEPTH)
		h->n--;
	l = &h->l[h->n++];
	l->level = level;
	memcpy(l->number, number, sizeof(number));
	l->text.len = 0;
	buf_add(&l->text, text, tidy_cut(text, len, HEADING_MAX));
}

void
heading_path(struct buf *out, const struct headings *h)
{
	for (size_t i = 0; i < h->n; i++) {
		buf_addc(out, i ? ',' : '[');
		json_quote(out, h->l[i].text.p, h->l[i].text.len);
	}
	if (h->n)
		buf_addc(out, ']');
}

bool
heading_is_title(const char *text, size_t len)
{
	static const char *const sections[] = { "abstract", "summary", "introduction", "background", "contents",
	    "table of contents", "preface", "foreword", "acknowledgements", "acknowledgments", "references", "keywords",
	    "zusammenfassung", "inhalt", "inhaltsverzeichnis", "einleitung", "vorwort", "sommaire", "resumen" };
	char number[24];

	number_of(number, text, len);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (strlen(sections[i]) == len && strncasecmp(sections[i], text, len) == 0)
			return false;
	return !number[0] && len <= HEADING_TITLE;
}

/* The next byte that counts, in small letters where ASCII has them; 0 at the end. */
static int
next(const char **p, const char *end)
{
	while (*p < end) {
		unsigned char c = (unsigned char)*(*p)++;

		if (c >= 0x80 || isalnum(c))
			return tolower(c);
	}
	return 0;
}

bool
heading_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *a_end = a + a_len, *b_end = b + b_len;
	int x;

	do {
		x = next(&a, a_end);
		if (x != next(&b, b_end))
			return false;
	} while (x);
	return true;
}
