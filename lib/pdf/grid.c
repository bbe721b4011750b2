/* Rows that may be a table: its columns, and whether the pieces agree about them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/table.h"

static int
by_x0(const void *a, const void *b)
{
	const struct pdf_line *const *x = a, *const *y = b;

	return (*x)->x0 < (*y)->x0 ? -1 : (*x)->x0 > (*y)->x0;
}

/* The number of pieces that most rows of two and more have. */
static size_t
usual(const struct row *rows, size_t n)
{
	size_t count[GRID_COLS + 1] = { 0 }, best = 0;

	for (size_t r = 0; r < n; r++)
		if (rows[r].n >= 2 && rows[r].n <= GRID_COLS)
			count[rows[r].n]++;
	for (size_t k = 2; k <= GRID_COLS; k++)
		if (count[k] && count[k] >= count[best])
			best = k;
	return best;
}

/* Columns are where the pieces of the usual rows overlap one another. */
static void
columns(struct grid *g, const struct row *rows, size_t n, size_t want)
{
	static const struct pdf_line *l[2000];
	size_t m = 0;

	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; rows[r].n == want && i < want && m < sizeof l / sizeof *l; i++)
			l[m++] = rows[r].c[i].l;
	qsort(l, m, sizeof *l, by_x0);
	g->cols = 0;
	for (size_t i = 0; i < m; i++) {
		if (g->cols && l[i]->x0 < g->x1[g->cols - 1]) {
			g->x1[g->cols - 1] = fmaxf(g->x1[g->cols - 1], l[i]->x1);
			continue;
		}
		if (g->cols == GRID_COLS) {
			g->cols = 0;
			return;
		}
		g->x0[g->cols] = l[i]->x0;
		g->x1[g->cols++] = l[i]->x1;
	}
}

static void
assign(const struct grid *g, struct row *rows, size_t n)
{
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < rows[r].n; i++) {
			struct cell *c = &rows[r].c[i];
			float best = -INFINITY;

			for (size_t k = 0; k < g->cols; k++) {
				float over = fminf(c->l->x1, g->x1[k]) - fmaxf(c->l->x0, g->x0[k]);

				if (over > best) {
					best = over;
					c->col = (uint16_t)k;
				}
			}
		}
}

enum edge { LEFT, RIGHT, MIDDLE };

static float
edge_of(const struct pdf_line *l, enum edge e)
{
	return e == LEFT ? l->x0 : e == RIGHT ? l->x1 : (l->x0 + l->x1) / 2;
}

/* The most cells of a column that have one edge in common. */
static bool
agrees(const struct row *rows, size_t n, size_t col)
{
	for (enum edge e = LEFT; e <= MIDDLE; e++) {
		size_t all = 0, best = 0;

		for (size_t r = 0; r < n; r++)
			for (size_t i = 0; i < rows[r].n; i++) {
				const struct pdf_line *l = rows[r].c[i].l;
				size_t same = 0;

				if (rows[r].c[i].col != col)
					continue;
				all++;
				/* With one of the first rows: enough, and linear. */
				if (all > 12)
					continue;
				for (size_t q = 0; q < n; q++)
					for (size_t k = 0; k < rows[q].n; k++)
						same += rows[q].c[k].col == col &&
						    fabsf(edge_of(rows[q].c[k].l, e) - edge_of(l, e)) < l->h * 0.35f;
				best = same > best ? same : best;
			}
		if (best * 10 >= all * 6)
			return true;
	}
	return false;
}

/* A column of nothing but signs: the prompts of a session, the rules of a drawing. */
static bool
signs(const struct pdf_doc *d, const struct row *rows, size_t n, size_t col)
{
	size_t all = 0, bare = 0;

	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < rows[r].n; i++) {
			const struct pdf_line *l = rows[r].c[i].l;
			const char *p = pdf_text(d, l);
			size_t k = 0;

			if (rows[r].c[i].col != col)
				continue;
			while (k < l->len && strchr("+-|!<>#$%*/\\=:.,;_ ~^", p[k]))
				k++;
			all++;
			bare += k == l->len;
		}
	return bare * 10 > all * 7;
}

/* Words and numbers, no drawing; no table of contents. */
static bool
readable(const struct pdf_doc *d, const struct row *rows, size_t n)
{
	size_t good = 0, all = 0, leaders = 0;

	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < rows[r].n; i++) {
			const struct pdf_line *l = rows[r].c[i].l;
			const char *p = pdf_text(d, l);

			for (size_t k = 0; k < l->len; k++) {
				unsigned char c = (unsigned char)p[k];

				all += c != ' ';
				good += (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
			}
			leaders += memmem(p, l->len, ". . .", 5) || memmem(p, l->len, ".....", 5);
		}
	return good * 2 >= all && leaders < 2;
}

bool
grid_make(struct grid *g, const struct pdf_doc *d, struct row *rows, size_t n)
{
	size_t want = usual(rows, n), full = 0, bad = 0;

	if (want < 2 || !readable(d, rows, n))
		return false;
	columns(g, rows, n, want);
	if (g->cols < 2)
		return false;
	for (size_t k = 0; k + 1 < g->cols; k++)
		if (g->x0[k + 1] - g->x1[k] < rows[0].h * 0.4f)
			return false;
	assign(g, rows, n);
	for (size_t r = 0; r < n; r++)
		full += rows[r].n > 1 && rows[r].c[0].col != rows[r].c[rows[r].n - 1].col;
	for (size_t k = 0; k < g->cols; k++) {
		if (signs(d, rows, n, k))
			return false;
		bad += !agrees(rows, n, k);
	}
	return bad * 4 <= g->cols && (bad == 0 || g->cols > 3) && (full >= 3 || (full == 2 && g->cols > 3));
}
