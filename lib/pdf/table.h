/* table.h - the parts of table.c and order.c: places on a page, rows and columns. Not for others. */
#ifndef PDF_TABLE_H
#define PDF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdf/page.h"

struct cell {
	struct pdf_line *l;     /* borrowed */
	uint32_t region;        /* lines of two regions are never in one row */
	uint16_t col;
	bool prose;
};

struct row {
	struct cell *c;         /* borrowed, from left to right */
	size_t n;
	float base, h;
	bool prose;             /* one of its cells is */
};

enum { GRID_COLS = 24 };

struct grid {
	size_t cols;
	float x0[GRID_COLS], x1[GRID_COLS];
};

/* The white strip between two columns of a page, from y0 to y1 at x. */
struct strip {
	float x, y0, y1;
	float score;
};

/* The highest strip among the cells, which come out in order of y; false: none. */
bool gutter_find(struct cell **c, size_t n, struct strip *s);
/* c stands beside the strip: left of it, or right where its x1 is over s->x + 1. */
bool gutter_within(const struct cell *c, const struct strip *s);

/* Gives the cells on both sides of each gutter of the page regions of their own. */
void gutters(struct cell *c, size_t n);

/* True when the rows are a table; then cells have their columns. */
bool grid_make(struct grid *g, const struct pdf_doc *d, struct row *rows, size_t n);

#endif
