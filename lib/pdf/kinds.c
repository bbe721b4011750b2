/* What each paragraph is: a heading, a list's item, a footnote, a caption, or text. */
#include <math.h>
#include <string.h>

#include "pdf/kinds.h"

enum { BELOW = 100 };   /* so many paragraphs after a note are looked at: a page may have a million */

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A sign or a small number, and words. */
static bool
noted(const char *p, size_t len)
{
	size_t i = 0;

	if (*p == '*' || (*p & 0x80))
		return true;
	while (i < len && i < 3 && digit(p[i]))
		i++;
	if (!i)
		return false;
	while (i < len && p[i] == ' ')
		i++;
	return i < len && ((p[i] & 0x80) || p[i] == '(' || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z'));
}

/* Small text at the foot of its column. */
static bool
footnote(const struct pdf_doc *d, size_t i)
{
	const struct pdf_para *p = &d->paras.p[i];

	if (p->h > d->body * 0.93f || p->char_w > d->body_w * 0.97f || p->y0 < d->pages[p->page].h * 0.5f)
		return false;
	for (size_t k = i + 1; k < d->paras.n && k < i + BELOW && d->paras.p[k].page == p->page; k++) {
		const struct pdf_para *q = &d->paras.p[k];

		if (q->kind != PDF_FURNITURE && q->x0 < p->x1 && q->x1 > p->x0 && q->h > d->body * 0.95f && q->y0 > p->y0)
			return false;
	}
	const struct pdf_para *prev = i ? &d->paras.p[i - 1] : NULL;
	const char *text = d->made.p + p->at;

	if (prev && prev->page == p->page && prev->kind == PDF_FOOTNOTE && prev->y0 < p->y0)
		return true;
	return p->len > 3 && noted(text, p->len) && p->lines < 12;
}

/* "Table 3: ..." beside a table is its caption. */
static void
caption(struct pdf_doc *d, size_t i)
{
	struct pdf_para *p = &d->paras.p[i];
	const char *text = d->made.p + p->at;

	if (p->kind != PDF_TEXT || p->lines > 8 || !kinds_labelled(text, p->len) || (*text | 0x20) != 't')
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

/* A large heading of several lines is one. */
static void
go_on(struct pdf_doc *d, size_t i)
{
	struct pdf_para *p = &d->paras.p[i], *q = p + 1;
	size_t at = d->made.len, end;

	if (i + 1 >= d->paras.n || p->kind != PDF_HEADING || q->kind != PDF_HEADING || p->page != q->page ||
	    fabsf(p->h - q->h) > p->h * 0.03f || p->h < d->body * 1.12f || q->y0 - p->y1 > p->h * 0.8f || q->y0 < p->y0 ||
	    kinds_numbered(d->made.p + q->at, q->len, &end) || p->len + q->len > 220)
		return;
	buf_room(&d->made, p->len + q->len + 1);
	buf_add(&d->made, d->made.p + p->at, p->len);
	buf_addc(&d->made, ' ');
	buf_add(&d->made, d->made.p + q->at, q->len);
	q->at = at;
	q->len = d->made.len - at;
	q->x0 = fminf(p->x0, q->x0), q->y0 = p->y0, q->x1 = fmaxf(p->x1, q->x1);
	q->above = p->above;
	p->len = 0;
	p->level = 0;
}

void
pdf_kinds(struct pdf_doc *d)
{
	float title_h = kinds_title(d);
	bool front = d->npages > 0;

	for (size_t i = 0; i < d->paras.n; i++) {
		struct pdf_para *p = &d->paras.p[i];
		const char *text = d->made.p + p->at;

		if (p->page > 0)
			front = false;
		if (p->kind != PDF_TEXT || !p->len)
			continue;
		p->level = (uint8_t)kinds_heading(d, i, front, title_h);
		if (kinds_prose(p) && !p->level && (p->len > 250 || (p->len >= 8 && strncasecmp(text, "abstract", 8) == 0)))
			front = false;
		if (p->level)
			p->kind = PDF_HEADING;
		else if (footnote(d, i))
			p->kind = PDF_FOOTNOTE;
		else if (pdf_marker(text, p->len) && !p->verbatim && pdf_marker(text, p->len) < p->len)
			p->kind = PDF_ITEM;
	}
	for (size_t i = 0; i < d->paras.n; i++) {
		caption(d, i);
		go_on(d, i);
	}
	pdf_levels(d, title_h);
}
