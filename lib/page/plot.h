/* plot.h - lines over time: a drawing, what it says in words, and its numbers as a table. Internal to lib/page.
 *
 * The drawing is stretched to whatever room there is; its labels are text of the page beside it, so they keep
 * their size on a phone. All coordinates are attributes: the policy allows no style in the page.
 */
#ifndef PAGE_PLOT_H
#define PAGE_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum { PLOT_LINES = 3, PLOT_POINTS = 120, PLOT_ROWS = 20 };

struct plot_line {
	const char *name, *class;       /* class: its colour and its dashes in style.css */
	const double *v;                /* n of them; NAN: nothing to show there */
};

struct plot {
	const char *id, *title;         /* id: of the elements; both trusted */
	const char *unit;               /* after each number, "" for none */
	bool peak;                      /* a row of the table has the highest, else the mean */
	struct plot_line line[PLOT_LINES];
	size_t lines, n;
	int64_t from_us, step_us;       /* of the first value, and between two */
};

/* A drawing, a summary and a table: one <figure>. */
void plot_draw(struct buf *out, const struct plot *p);
void plot_table(struct buf *out, const struct plot *p);        /* its part */

/* The end of an axis from 0 on that has four equal steps of round numbers, at least max. */
double plot_top(double max);

#endif
