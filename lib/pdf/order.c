/* Reading order by place alone, for pages that are not drawn in it. */
#include <stdlib.h>
#include <string.h>

#include "pdf/table.h"

enum { LINES = 2000, DEPTH = 8 };

static int
by_place(const void *a, const void *b)
{
	const struct cell *const *x = a, *const *y = b;

	if ((*x)->l->base != (*y)->l->base)
		return (*x)->l->base < (*y)->l->base ? -1 : 1;
	return (*x)->l->x0 < (*y)->l->x0 ? -1 : (*x)->l->x0 > (*y)->l->x0;
}

static int
by_left(const void *a, const void *b)
{
	const struct cell *const *x = a, *const *y = b;

	return (*x)->l->x0 < (*y)->l->x0 ? -1 : (*x)->l->x0 > (*y)->l->x0;
}

/* Row by row, each from left to right. */
static void
rows(struct cell **c, size_t n)
{
	qsort(c, n, sizeof(struct cell *), by_place);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && pdf_same_row(c[k]->l, c[i]->l); k++)
			;
		qsort(c + i, k - i, sizeof(struct cell *), by_left);
	}
}

enum part { ABOVE, LEFT, RIGHT, BELOW };

static enum part
part_of(const struct cell *c, const struct strip *s)
{
	if (gutter_within(c, s))
		return c->l->x1 > s->x + 1 ? RIGHT : LEFT;
	return c->l->y0 < s->y0 ? ABOVE : BELOW;
}

/* What is above a gutter, left of it, right of it, below it. */
static void
arrange(struct cell **c, size_t n, int depth)
{
	static struct cell *tmp[LINES];
	struct strip s;
	size_t from[5] = { 0 }, m = 0;

	if (depth == DEPTH || !gutter_find(c, n, &s)) {
		rows(c, n);
		return;
	}
	for (int k = ABOVE; k <= BELOW; k++) {
		for (size_t i = 0; i < n; i++)
			if (part_of(c[i], &s) == (enum part)k)
				tmp[m++] = c[i];
		from[k + 1] = m;
	}
	memcpy(c, tmp, n * sizeof(struct cell *));
	for (int k = ABOVE; k <= BELOW; k++)
		arrange(c + from[k], from[k + 1] - from[k], depth + 1);
}

/* The file jumps to and fro between columns, or up and down. */
static bool
jumps(const struct cell *c, size_t n)
{
	size_t aside = 0, up = 0, regions = 0;

	for (size_t i = 0; i < n; i++)
		regions = c[i].region > regions ? c[i].region : regions;
	for (size_t i = 1; i < n; i++) {
		aside += c[i].region != c[i - 1].region && c[i].region && c[i - 1].region;
		up += c[i].region == c[i - 1].region && c[i].l->base < c[i - 1].l->base - c[i].l->h;
	}
	return aside > 2 * regions + 4 || (n > 8 && up * 4 > n);
}

void
pdf_order(struct pdf_doc *d, size_t page)
{
	static struct cell c[LINES];
	static struct cell *order[LINES];
	static struct pdf_line copy[LINES];
	const struct pdf_page *p = &d->pages[page];
	size_t n = 0;

	if (p->n > LINES)
		return;
	for (uint32_t i = p->line; i < p->line + p->n; i++)
		if (d->lines[i].role == PDF_BODY)
			c[n++] = (struct cell){ .l = &d->lines[i] };
	gutters(c, n);
	if (!jumps(c, n))
		return;
	for (size_t i = 0; i < n; i++)
		order[i] = &c[i];
	arrange(order, n, 0);
	for (size_t i = 0; i < n; i++)
		copy[i] = *order[i]->l;
	/* The places of body lines among the others stay. */
	for (size_t i = 0; i < n; i++)
		*c[i].l = copy[i];
}
