/* Which paragraphs are headings. */
#include <math.h>
#include <string.h>

#include "pdf/kinds.h"

/* Words that begin a part of a paper without any number. */
static bool
known(const char *p, size_t len)
{
	static const char *const names[] = {
		"abstract", "summary", "contents", "introduction", "background", "methods", "results", "discussion",
		"conclusion", "conclusions", "references", "bibliography", "acknowledgements", "acknowledgments", "appendix",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (len == strlen(names[i]) && strncasecmp(p, names[i], len) == 0)
			return true;
	return false;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "1", "2.3", "4.", "A.1", "Chapter 5": depth of the number, 0 if none; *end is behind it. */
unsigned
kinds_numbered(const char *p, size_t len, size_t *end)
{
	size_t i = 0;
	unsigned depth = 1;

	if (len > 8 && (memcmp(p, "Chapter ", 8) == 0 || memcmp(p, "CHAPTER ", 8) == 0) && digit(p[8])) {
		for (i = 8; i < len && (digit(p[i]) || p[i] == '.' || p[i] == ':' || p[i] == ' '); i++)
			;
		*end = i;
		return 1;
	}
	if (len > 9 && memcmp(p, "Appendix ", 9) == 0 && p[9] >= 'A' && p[9] <= 'Z') {
		*end = 10;
		return 1;
	}
	if (len > 2 && p[0] >= 'A' && p[0] <= 'H' && p[1] == '.' && digit(p[2]))
		i = 2, depth = 2;
	if (i == len || !digit(p[i]))
		return 0;
	while (i < len && digit(p[i]) && i < 16) {
		while (i < len && digit(p[i]))
			i++;
		if (i + 1 < len && p[i] == '.' && digit(p[i + 1]))
			i++, depth++;
		else
			break;
	}
	if (i < len && p[i] == '.')
		i++;
	if (i + 1 >= len || p[i] != ' ' || i > 16)
		return 0;
	*end = i + 1;
	return depth > 6 ? 6 : depth;
}

/* Enough letters, beginning as a heading does. small: with a small one, too. */
static bool
titled(const char *p, size_t len, bool small)
{
	size_t letters = 0, others = 0;
	unsigned char c = len ? (unsigned char)*p : 0;

	if (!((c >= 'A' && c <= 'Z') || c >= 0x80 || (small && c >= 'a' && c <= 'z')))
		return false;
	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)p[i];
		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			letters++;
		else if ((c >= 0xC3 && c <= 0xDF) || c == 0xE0 || c == 0xE1 || (c >= 0xE3 && c <= 0xED))
			letters++;      /* the first byte of one; 0xE2 begins marks and symbols */
		else if (c != ' ' && (c & 0xC0) != 0x80)
			others++;
	}
	return letters >= 3 && letters > others * 2;
}

bool
kinds_prose(const struct pdf_para *p)
{
	return p->kind == PDF_TEXT && !p->verbatim && (p->lines > 2 || p->len > 160);
}

/* The next para of the page below p, in its column. */
static const struct pdf_para *
below(const struct pdf_doc *d, size_t i)
{
	const struct pdf_para *p = &d->paras.p[i];

	for (size_t k = i + 1; k < d->paras.n && k < i + 6 && d->paras.p[k].page == p->page; k++) {
		const struct pdf_para *q = &d->paras.p[k];

		if (q->kind != PDF_FURNITURE && q->x0 < p->x1 && q->x1 > p->x0 && q->y0 > p->y0)
			return q;
	}
	return NULL;
}

/* Of the text's size, but alone on its line with more white above than below it. */
static bool
isolated(const struct pdf_doc *d, size_t i, const char *text)
{
	const struct pdf_para *p = &d->paras.p[i], *q = below(d, i);
	char last = text[p->len - 1];

	if (p->lines != 1 || p->len > 80 || strchr(".,;:?!", last) || !titled(text, p->len, false) || p->h < d->body * 0.93f)
		return false;
	if (!q || q->kind == PDF_TABLE || (q->len < 30 && q->lines < 2) || p->x1 - p->x0 > (q->x1 - q->x0) * 0.85f)
		return false;
	if (memchr(text, '=', p->len) || memchr(text, '<', p->len) || memmem(text, p->len, "  ", 2))
		return false;
	return p->above > p->h * 0.9f && p->above > (q->y0 - p->y1) * 1.25f;
}

/* The table of contents names what is a heading elsewhere, and ends with its page. */
static bool
entry(const struct pdf_doc *d, size_t i, const char *text, size_t len)
{
	const struct pdf_para *p = &d->paras.p[i], *q = i + 1 < d->paras.n ? p + 1 : p;

	if (q->page == p->page && q->x0 > p->x1 && fabsf(q->y0 - p->y0) < p->h * 0.6f && digit(d->made.p[q->at]))
		return true;
	return memmem(text, len, ". . .", 5) || memmem(text, len, ".....", 5) ||
	    (len > 3 && digit(text[len - 1]) && (text[len - 2] == ' ' || text[len - 3] == ' '));
}

/* With a mark that ends a sentence or a part of it, whatever closes behind it. */
static bool
ends(const char *p, size_t len)
{
	if (len > 3 && memcmp(p + len - 3, "\xE2\x80\x9D", 3) == 0)
		len -= 3;
	while (len && strchr(")\"'", p[len - 1]))
		len--;
	return len && strchr(".,;:", p[len - 1]);
}

/* "Figure 3: ..." */
bool
kinds_labelled(const char *p, size_t len)
{
	return (len > 7 && strncasecmp(p, "figure ", 7) == 0 && digit(p[7])) ||
	    (len > 6 && strncasecmp(p, "table ", 6) == 0 && digit(p[6])) || (len > 5 && strncasecmp(p, "fig. ", 5) == 0);
}

/* It is the first line of what stands below it: that goes on in small letters, or is a table. */
static bool
begins(const struct pdf_doc *d, size_t i, bool numbered)
{
	const struct pdf_para *p = &d->paras.p[i], *q = below(d, i);
	char c;

	if (!q)
		return false;
	if (q->kind == PDF_TABLE)
		return !numbered && q->y0 - p->y1 < p->h * 0.9f;
	c = d->made.p[q->at];
	return q->y0 - p->y1 < p->h * 0.4f && p->h < q->h * 1.15f && c >= 'a' && c <= 'z';
}

unsigned
kinds_heading(const struct pdf_doc *d, size_t i, bool front, float title_h)
{
	const struct pdf_para *p = &d->paras.p[i];
	const char *text = d->made.p + p->at;
	unsigned depth;
	size_t at = 0;
	bool ended = ends(text, p->len);

	if (p->lines > 4 || p->len > 220 || kinds_labelled(text, p->len))
		return 0;
	if (known(text, p->len))
		return 1;
	depth = kinds_numbered(text, p->len, &at);
	if (at >= p->len)
		at = 0;         /* "Chapter 5", its name is elsewhere */
	if (!(depth && p->h > d->body * 1.12f) && begins(d, i, depth))
		return 0;
	if (depth && p->lines < 4 && p->len < 160 && titled(text + at, p->len - at, p->h > d->body * 1.12f) &&
	    !entry(d, i, text, p->len) && !ended && p->h >= d->body * 0.97f && p->above > p->h * 0.55f)
		return depth;
	if (pdf_marker(text, p->len))
		return 0;
	if (front)
		return p->h >= title_h * 0.98f && p->h > d->body * 1.12f && p->char_w > d->body_w;
	if (p->h > d->body * 1.13f && p->char_w > d->body_w * 1.03f && !ended &&
	    titled(text + at, p->len - at, false) && !(p->verbatim && p->lines > 2))
		return 1;
	return isolated(d, i, text);
}

/* Height of the title: the largest on the first page. Fonts that say a wrong
 * height have the usual width. */
float
kinds_title(const struct pdf_doc *d)
{
	float h = 0;

	for (size_t i = 0; i < d->paras.n && d->paras.p[i].page == 0; i++)
		if (d->paras.p[i].kind == PDF_TEXT && d->paras.p[i].len > 3 && d->paras.p[i].char_w > d->body_w * 1.15f)
			h = fmaxf(h, d->paras.p[i].h);
	return h;
}
