/* The lines of a page, in the file's order, as paragraphs; its tables where their first line stands. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/para.h"

enum { NEAR = 50 };
static const float FAR = 1000;

struct build {
	struct pdf_doc *d;
	size_t page, first;             /* index of the page's first para */
	const struct pdf_line **l;      /* the paragraph at hand */
	size_t n;
	bool verbatim;
	unsigned char *told;            /* per table */
};

/* White space above a para, to what is lowest above it in its column. */
static float
above(const struct build *b, const struct pdf_para *p)
{
	float best = FAR;

	for (size_t i = b->d->paras.n; i-- > b->first && b->d->paras.n - i < 12;) {
		const struct pdf_para *q = &b->d->paras.p[i];

		if (q != p && q->kind != PDF_FURNITURE && q->x0 < p->x1 && q->x1 > p->x0 && q->y1 < p->y0 + p->h * 0.6f)
			best = fminf(best, p->y0 - q->y1);
	}
	return best;
}

/* A list's item whose further lines are indented under its text. */
static bool
item(const struct build *b)
{
	return pdf_marker(pdf_text(b->d, b->l[0]), b->l[0]->len) && b->l[1]->x0 > b->l[0]->x0 + b->l[0]->h * 0.4f;
}

static void
flush(struct build *b)
{
	struct pdf_para *p;

	if (!b->n)
		return;
	p = pdf_para_new(b->d, &b->d->paras, b->page, PDF_TEXT);
	p->verbatim = b->verbatim && b->n > 1 && !item(b);
	for (size_t i = 0; i < b->n; i++) {
		pdf_para_box(p, b->l[i]);
		if (b->l[i]->len > b->l[0]->len / 2 && b->l[0]->len < 3)
			p->h = b->l[i]->h, p->char_w = b->l[i]->char_w; /* not the marker's */
	}
	para_join(b->d, b->l, b->n, p->verbatim);
	p->len = b->d->made.len - p->at;
	p->above = above(b, p);
	b->n = 0;
}

static void
table(struct build *b, const struct pdf_line *l)
{
	struct pdf_para *t = &b->d->tables.p[l->table], *p;

	if (b->told[l->table])
		return;
	b->told[l->table] = 1;
	flush(b);
	p = pdf_para_new(b->d, &b->d->paras, b->page, PDF_TABLE);
	*p = *t;
	p->above = above(b, p);
}

static void
furniture(struct build *b, bool top)
{
	const struct pdf_page *p = &b->d->pages[b->page];

	for (uint32_t i = p->line; i < p->line + p->n; i++) {
		const struct pdf_line *l = &b->d->lines[i];
		struct pdf_para *f;

		if (l->role == PDF_BODY || l->role >= PDF_CELL)
			continue;
		if (top != (l->role == PDF_HEADER || (l->role == PDF_NUMBER && l->base < p->h / 2)))
			continue;
		f = pdf_para_new(b->d, &b->d->paras, b->page, PDF_FURNITURE);
		f->role = l->role;
		pdf_para_box(f, l);
		buf_add(&b->d->made, pdf_text(b->d, l), l->len);
		f->len = l->len;
	}
}

/* The next block that lies outside the tables: its lines from *i on. */
static size_t
next_block(struct build *b, uint32_t *i, uint32_t end, const struct pdf_line **l)
{
	size_t n = 0;
	uint32_t block = 0;

	for (; *i < end; ++*i) {
		const struct pdf_line *x = &b->d->lines[*i];

		if (x->role == PDF_CELL) {
			if (n)
				break;
			table(b, x);
		} else if (x->role == PDF_BODY) {
			if (n && x->block != block)
				break;
			block = x->block;
			l[n++] = x;
		}
	}
	return n;
}

static const struct pdf_line *
next_body(const struct pdf_doc *d, uint32_t i, uint32_t end)
{
	while (i < end && d->lines[i].role != PDF_BODY)
		i++;
	return i < end ? &d->lines[i] : NULL;
}

/* How far l is below prev, 0 if it is not below it at all. */
static float
pitch(const struct pdf_line *prev, const struct pdf_line *l)
{
	if (!prev || !l || pdf_same_row(prev, l) || l->base < prev->base || prev->x0 >= l->x1 || prev->x1 <= l->x0)
		return 0;
	return l->base - prev->base;
}

/* Lines drawn one below the other at the same distance are a block. */
static void
number_blocks(struct pdf_doc *d, const struct pdf_page *p)
{
	const struct pdf_line *prev = NULL;
	uint32_t block = 0, end = p->line + p->n;
	float before = 0;

	for (uint32_t i = p->line; i < end; i++) {
		struct pdf_line *l = &d->lines[i];
		float gap, after;

		if (l->role != PDF_BODY)
			continue;
		gap = pitch(prev, l);
		after = pitch(l, next_body(d, i + 1, end));
		if (gap <= 0 || gap > fmaxf(prev->h, l->h) * 1.9f || para_resized(prev, l) ||
		    (before > 0 && gap > before * 1.15f + 0.3f) || (after > 0 && gap > after * 1.15f + 0.3f)) {
			block++;
			before = 0;
		} else {
			before = gap;
		}
		l->block = block;
		prev = l;
	}
}

/* m is a number by itself at the end of l's row: a page in a table of contents, a value. */
static bool
leads(const struct pdf_doc *d, const struct pdf_line *l, const struct pdf_line *m)
{
	const char *p = pdf_text(d, m);
	size_t n = 0;

	while (n < m->len && p[n] >= '0' && p[n] <= '9')
		n++;
	return n == m->len && n < 5 && l->len > 6 && fabsf(l->h - m->h) < m->h * 0.1f;
}

/* How far apart two lines of a row may stand that are one. */
static float
apart(const struct pdf_doc *d, const struct pdf_line *l, const struct pdf_line *m)
{
	return leads(d, l, m) ? INFINITY : l->h * (l->len < 3 ? 10 : 2.6f);
}

/* What stands on one row, a wide blank apart, and is no table's, is one line. */
static void
stitch(struct pdf_doc *d, const struct pdf_page *p)
{
	for (uint32_t i = p->line, k; i < p->line + p->n; i = k) {
		struct pdf_line *l = &d->lines[i];

		for (k = i + 1; k < p->line + p->n; k++) {
			struct pdf_line *m = &d->lines[k];

			if (l->role != PDF_BODY || m->role != PDF_BODY || m->at != l->at + l->len + 1 || !pdf_same_row(l, m) ||
			    m->x0 < l->x1 - l->h * 0.5f || m->x0 - l->x1 > apart(d, l, m))
				break;
			if (m->len > l->len) {
				l->h = m->h, l->base = m->base;
				l->char_w = m->char_w;
			}
			l->len = m->at + m->len - l->at;
			l->x1 = m->x1;
			l->y0 = fminf(l->y0, m->y0), l->y1 = fmaxf(l->y1, m->y1);
			m->role = PDF_GONE;
		}
	}
}

void
pdf_page_paras(struct pdf_doc *d, size_t page)
{
	const struct pdf_page *p = &d->pages[page];
	const struct pdf_line **l = mem_array(NULL, 2 * (size_t)p->n + 2, sizeof *l), *prev = NULL;
	struct build b = { .d = d, .page = page, .first = d->paras.n, .l = l + p->n + 1 };
	struct para_block was = { 0 }, now;
	uint32_t i = p->line, end = p->line + p->n;
	size_t n;

	pdf_order(d, page);
	number_blocks(d, p);
	pdf_tables(d, page);
	stitch(d, p);
	number_blocks(d, p);
	b.told = mem_zalloc(d->tables.n + 1);
	furniture(&b, true);
	while ((n = next_block(&b, &i, end, l))) {
		uint32_t from = i - p->line > 2 * NEAR ? i - 2 * NEAR : p->line;

		para_block(&now, d, l, n, &d->lines[from], (end - from < 3 * NEAR ? end - from : 3 * NEAR));
		for (size_t k = 0; k < n; k++) {
			if (b.n && (k ? para_breaks(&now, d, l[k - 1], l[k]) : para_ends(&was, &now, d, prev, l[0])))
				flush(&b);
			if (!b.n)
				b.verbatim = now.verbatim;
			b.l[b.n++] = l[k];
		}
		prev = l[n - 1];
		was = now;
	}
	flush(&b);
	furniture(&b, false);
	free(b.told);
	free(l);
}
