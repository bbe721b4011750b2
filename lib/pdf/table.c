/* Tables: rows of short pieces of text that stand in columns.
 *
 * The file gives the pieces in any order. Here the lines of a page are taken by
 * their place: a region is what lies between two gutters of the page, a
 * row is what has one baseline in a region, a run is rows one under the other with two pieces or
 * more. A run whose pieces agree about their columns' edges is a table.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "pdf/table.h"

enum { LINES = 2000, ROWS_MAX = 1000 };

/* A block of lines that are full up to its right edge is prose, no cells. */
static void
mark_prose(const struct pdf_doc *d, const struct pdf_page *p, bool *prose)
{
	const struct pdf_line *l = d->lines + p->line;

	for (uint32_t i = 0, n; i < p->n; i += n) {
		float right = 0, h = 0;
		size_t chars = 0, full = 0;

		for (n = 0; i + n < p->n && l[i + n].block == l[i].block; n++) {
			right = fmaxf(right, l[i + n].x1);
			h = fmaxf(h, l[i + n].h);
			chars += l[i + n].len;
		}
		for (uint32_t k = i; k + 1 < i + n; k++)
			full += l[k].x1 + l[k + 1].first_w + h * 0.25f > right - h * 0.5f;
		for (uint32_t k = i; k < i + n; k++)
			prose[k] = l[k].role != PDF_BODY || l[k].len > 90 ||
			    (n > 2 && full * 10 >= (n - 1) * 8 && chars / n >= 32) ||
			    (n == 2 && full && chars / n >= 50);
	}
}

static int
by_row(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	if (x->l->base != y->l->base)
		return x->l->base < y->l->base ? -1 : 1;
	return x->l->x0 < y->l->x0 ? -1 : x->l->x0 > y->l->x0;
}

static int
by_x(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return x->l->x0 < y->l->x0 ? -1 : x->l->x0 > y->l->x0;
}

/* Cells in order of rows; cells of a row from left to right. Returns rows. */
static size_t
make_rows(struct cell *c, size_t n, struct row *rows)
{
	size_t nrows = 0;

	qsort(c, n, sizeof *c, by_row);
	for (size_t i = 0, k; i < n; i = k) {
		struct row *r = &rows[nrows];

		for (k = i + 1; k < n && c[k].region == c[i].region && pdf_same_row(c[k].l, c[i].l); k++)
			;
		qsort(c + i, k - i, sizeof *c, by_x);
		r->c = c + i;
		r->n = k - i;
		r->base = c[i].l->base;
		r->h = c[i].l->h;
		r->prose = false;
		for (size_t j = i; j < k; j++)
			r->prose |= c[j].prose;
		if (++nrows == ROWS_MAX)
			break;
	}
	return nrows;
}

/* How many pieces: a list's marker and what it marks are one. */
static size_t
pieces(const struct pdf_doc *d, const struct row *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct pdf_line *l = r->c[i].l;

		if (i == 0 && r->n > 1 && pdf_marker(pdf_text(d, l), l->len) == l->len)
			continue;
		n++;
	}
	return n;
}

/* The rows from i on that may be one table. */
static size_t
run_from(const struct pdf_doc *d, const struct row *rows, size_t nrows, size_t i)
{
	size_t k = i, last = i;

	if (rows[i].prose || pieces(d, &rows[i]) < 2)
		return 0;
	for (k = i + 1; k < nrows && rows[k].c->region == rows[i].c->region && !rows[k].prose; k++) {
		float pitch = rows[k].base - rows[k - 1].base;
		bool many = pieces(d, &rows[k]) > 1;

		if (pitch > 3 * rows[k].h || rows[k].h > rows[i].h * 1.15f || (!many && pitch > 1.7f * rows[k].h))
			break;
		if (many)
			last = k;
		else if (k - last > 3)
			break;
	}
	/* What follows the last full row closely belongs to its cells. */
	while (last + 1 < k && rows[last + 1].base - rows[last].base < 1.35f * rows[last].h)
		last++;
	return last + 1 - i;
}

static size_t
regions(struct pdf_doc *d, const struct pdf_page *p, struct cell *c, const bool *prose)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		struct pdf_line *l = &d->lines[p->line + i];

		if (l->role != PDF_BODY)
			continue;
		c[n++] = (struct cell){ .l = l, .region = 0, .prose = prose[i] };
	}
	gutters(c, n);
	return n;
}

static void
text_of(struct buf *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (p[i]) {
		case '&': buf_adds(out, "&amp;"); break;
		case '<': buf_adds(out, "&lt;"); break;
		case '>': buf_adds(out, "&gt;"); break;
		default: buf_addc(out, p[i]);
		}
}

/* A row whose first column is empty goes on with the cells of the one above. */
static bool
goes_on(const struct grid *g, const struct row *rows, size_t r)
{
	return r > 0 && rows[r].n && rows[r].c[0].col > 0 && rows[r].n < g->cols &&
	    rows[r].base - rows[r - 1].base < 1.5f * rows[r].h;
}

static void
html(struct pdf_doc *d, const struct grid *g, const struct row *rows, size_t n)
{
	struct buf *out = &d->made;

	buf_adds(out, "<table>");
	for (size_t r = 0, end; r < n; r = end) {
		for (end = r + 1; end < n && goes_on(g, rows, end); end++)
			;
		buf_adds(out, "<tr>");
		for (size_t col = 0; col < g->cols; col++) {
			size_t from;

			buf_adds(out, "<td>");
			from = out->len;
			for (size_t k = r; k < end; k++)
				for (size_t i = 0; i < rows[k].n; i++)
					if (rows[k].c[i].col == col) {
						if (out->len > from)
							buf_addc(out, ' ');
						text_of(out, pdf_text(d, rows[k].c[i].l), rows[k].c[i].l->len);
					}
			buf_adds(out, "</td>");
		}
		buf_adds(out, "</tr>");
	}
	buf_adds(out, "</table>");
}

static void
take(struct pdf_doc *d, size_t page, const struct grid *g, const struct row *rows, size_t n)
{
	uint16_t no = (uint16_t)d->tables.n;
	struct pdf_para *t = pdf_para_new(d, &d->tables, page, PDF_TABLE);

	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < rows[r].n; i++) {
			struct pdf_line *l = rows[r].c[i].l;

			l->role = PDF_CELL;
			l->table = no;
			pdf_para_box(t, l);
		}
	html(d, g, rows, n);
	t->len = d->made.len - t->at;
}

void
pdf_tables(struct pdf_doc *d, size_t page)
{
	static struct cell c[LINES];
	static struct row rows[ROWS_MAX];
	static bool prose[LINES];
	const struct pdf_page *p = &d->pages[page];
	struct grid g;
	size_t n, nrows;

	d->tables.n = 0;
	if (p->n > LINES)
		return;
	mark_prose(d, p, prose);
	n = regions(d, p, c, prose);
	nrows = make_rows(c, n, rows);
	for (size_t i = 0, run; i < nrows; i += run ? run : 1) {
		run = run_from(d, rows, nrows, i);
		if (run && d->tables.n < UINT16_MAX && grid_make(&g, d, rows + i, run))
			take(d, page, &g, rows + i, run);
	}
}
