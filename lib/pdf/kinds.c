/* What each paragraph is: a heading, a list's item, a footnote, a caption, or text. */
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
static unsigned
numbered(const char *p, size_t len, size_t *end)
{
	size_t i = 0;
	unsigned depth = 1;

	if (len > 8 && (memcmp(p, "Chapter ", 8) == 0 || memcmp(p, "CHAPTER ", 8) == 0) && digit(p[8])) {
		*end = 8 + strspn(p + 8, "0123456789.: ");
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

/* Enough letters, beginning as a heading does. */
static bool
titled(const char *p, size_t len)
{
	size_t letters = 0, others = 0;
	unsigned char c = len ? (unsigned char)*p : 0;

	if (!((c >= 'A' && c <= 'Z') || c >= 0x80))
		return false;
	for (size_t i = 0; i < len; i++) {
		c = (unsigned char)p[i];
		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			letters++;
		else if (c >= 0x80)
			letters += (c & 0xC0) != 0x80;
		else if (c != ' ')
			others++;
	}
	return letters >= 3 && letters > others * 3;
}

static bool
prose(const struct pdf_para *p)
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

	if (p->lines != 1 || p->len > 80 || strchr(".,;:?!", last) || !titled(text, p->len) || p->h < d->body * 0.93f)
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

	if (q->page == p->page && q->x0 > p->x1 && fabsf(q->y1 - p->y1) < p->h * 0.5f && digit(d->made.p[q->at]))
		return true;
	return memmem(text, len, ". . .", 5) || memmem(text, len, ".....", 5) ||
	    (len > 3 && digit(text[len - 1]) && (text[len - 2] == ' ' || text[len - 3] == ' '));
}

static unsigned
heading(const struct pdf_doc *d, size_t i, bool front, float title_h)
{
	const struct pdf_para *p = &d->paras.p[i];
	const char *text = d->made.p + p->at;
	unsigned depth;
	size_t at = 0;
	bool ended = strchr(".,;:", text[p->len - 1]);

	if (p->lines > 4 || p->len > 220)
		return 0;
	if (known(text, p->len))
		return 1;
	depth = numbered(text, p->len, &at);
	if (depth && p->lines < 4 && p->len < 160 && titled(text + at, p->len - at) && !entry(d, i, text, p->len) && !ended &&
	    p->h >= d->body * 0.97f && p->above > p->h * 0.55f)
		return depth;
	if (front)
		return p->h >= title_h * 0.98f && p->h > d->body * 1.12f && p->char_w > d->body_w;
	if (p->h > d->body * 1.13f && p->char_w > d->body_w * 1.03f && !ended && titled(text + at, p->len - at) && !(p->verbatim && p->lines > 2))
		return 1;
	return isolated(d, i, text);
}

/* Height of the title: the largest on the first page. Fonts that say a wrong
 * height have the usual width. */
static float
largest(const struct pdf_doc *d)
{
	float h = 0;

	for (size_t i = 0; i < d->paras.n && d->paras.p[i].page == 0; i++)
		if (d->paras.p[i].kind == PDF_TEXT && d->paras.p[i].len > 3 && d->paras.p[i].char_w > d->body_w * 1.15f)
			h = fmaxf(h, d->paras.p[i].h);
	return h;
}

/* Small text at the foot of its column. */
static bool
footnote(const struct pdf_doc *d, size_t i)
{
	const struct pdf_para *p = &d->paras.p[i];

	if (p->h > d->body * 0.93f || p->y0 < d->pages[p->page].h * 0.5f)
		return false;
	for (size_t k = i + 1; k < d->paras.n && d->paras.p[k].page == p->page; k++) {
		const struct pdf_para *q = &d->paras.p[k];

		if (q->kind != PDF_FURNITURE && q->x0 < p->x1 && q->x1 > p->x0 && q->h > d->body * 0.95f && q->y0 > p->y0)
			return false;
	}
	const struct pdf_para *prev = i ? &d->paras.p[i - 1] : NULL;
	const char *text = d->made.p + p->at;

	if (prev && prev->page == p->page && prev->kind == PDF_FOOTNOTE && prev->y0 < p->y0)
		return true;
	return p->len > 3 && (digit(*text) || *text == '*' || (*text & 0x80)) && p->lines < 12;
}

/* "Table 3: ..." beside a table is its caption. */
static void
caption(struct pdf_doc *d, size_t i)
{
	struct pdf_para *p = &d->paras.p[i];
	const char *text = d->made.p + p->at;

	if (p->kind != PDF_TEXT || p->len < 7 || strncasecmp(text, "table ", 6) != 0 || p->lines > 8)
		return;
	for (int side = -1; side <= 1; side += 2) {
		size_t k = i + (size_t)side;
		struct pdf_para *t;

		if (k >= d->paras.n)
			continue;
		t = &d->paras.p[k];
		if (t->kind != PDF_TABLE || t->page != p->page || t->cap_len ||
		    fmaxf(t->y0 - p->y1, p->y0 - t->y1) > d->body * 3)
			continue;
		t->cap = p->at;
		t->cap_len = p->len;
		p->len = 0;
		return;
	}
}

void
pdf_kinds(struct pdf_doc *d)
{
	float title_h = largest(d);
	bool front = d->npages > 0;

	for (size_t i = 0; i < d->paras.n; i++) {
		struct pdf_para *p = &d->paras.p[i];
		const char *text = d->made.p + p->at;

		if (p->page > 0 || (prose(p) && p->h < title_h * 0.98f))
			front = false;
		if (p->kind != PDF_TEXT || !p->len)
			continue;
		p->level = (uint8_t)heading(d, i, front, title_h);
		if (p->level)
			p->kind = PDF_HEADING;
		else if (footnote(d, i))
			p->kind = PDF_FOOTNOTE;
		else if (pdf_marker(text, p->len) && !p->verbatim && pdf_marker(text, p->len) < p->len)
			p->kind = PDF_ITEM;
	}
	for (size_t i = 0; i < d->paras.n; i++)
		caption(d, i);
	pdf_levels(d, title_h, numbered);
}
