/* The white strips between the columns of a page. */
#include <math.h>
#include <stdlib.h>

#include "pdf/table.h"

enum { SIDE = 6, STEPS = 200, DEPTH = 3, MOST = 2000 };

static int
by_y(const void *a, const void *b)
{
	const struct cell *const *x = a, *const *y = b;

	return (*x)->l->y0 < (*y)->l->y0 ? -1 : (*x)->l->y0 > (*y)->l->y0;
}

static bool
crosses(const struct pdf_line *l, float x)
{
	return l->x0 < x - 1 && l->x1 > x + 1;
}

/* The highest strip at x, with enough on both sides of it. */
static void
strip_at(struct cell **c, size_t n, float x, float least, struct strip *best)
{
	size_t from = 0, left = 0, right = 0;
	float y0 = c[0]->l->y0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && !crosses(c[i]->l, x)) {
			*(c[i]->l->x1 <= x + 1 ? &left : &right) += 1;
			continue;
		}
		float y1 = i < n ? c[i]->l->y0 : c[n - 1]->l->y1;

		if (i > from && left >= SIDE && right >= SIDE && y1 - y0 >= least && y1 - y0 > best->score)
			*best = (struct strip){ x, y0, y1, y1 - y0 };
		from = i + 1;
		left = right = 0;
		if (i < n)
			y0 = c[i]->l->y1;
	}
}

bool
gutter_within(const struct cell *c, const struct strip *s)
{
	return c->l->y0 >= s->y0 - 0.5f && c->l->y0 <= s->y1 && !crosses(c->l, s->x);
}

/* Running text on one side of the strip: lines that are full up to their right
 * edge, whatever order the file draws them in. c is in order of y. */
static bool
running(struct cell **c, size_t n, const struct strip *s, bool side)
{
	const struct pdf_line *prev = NULL;
	float right = -INFINITY;
	size_t lines = 0, chars = 0, full = 0;

	for (size_t i = 0; i < n; i++)
		if (gutter_within(c[i], s) && (c[i]->l->x1 > s->x + 1) == side) {
			right = fmaxf(right, c[i]->l->x1);
			chars += c[i]->l->len;
			lines++;
		}
	for (size_t i = 0; i < n; i++)
		if (gutter_within(c[i], s) && (c[i]->l->x1 > s->x + 1) == side) {
			full += prev && prev->x1 + c[i]->l->first_w + prev->h > right;
			prev = c[i]->l;
		}
	return lines > 2 && chars / lines >= 30 && full * 10 > lines * 6;
}

/* Columns of text, or of a table? Running text on both sides says the one; rows
 * that have one baseline on both sides say the other. */
static bool
of_page(struct cell **c, size_t n, const struct strip *s)
{
	size_t count[2] = { 0, 0 }, prose[2] = { 0, 0 }, aligned = 0, least;

	for (size_t i = 0; i < n; i++) {
		bool side = c[i]->l->x1 > s->x + 1;

		if (!gutter_within(c[i], s))
			continue;
		count[side]++;
		prose[side] += c[i]->prose;
		for (size_t k = 0; !side && k < n; k++)
			if (gutter_within(c[k], s) && c[k]->l->x1 > s->x + 1 && pdf_same_row(c[k]->l, c[i]->l)) {
				aligned++;
				break;
			}
	}
	least = count[0] < count[1] ? count[0] : count[1];
	if (prose[0] * 3 > count[0] && prose[1] * 3 > count[1])
		return true;
	return aligned * 10 < least * 7 || (running(c, n, s, false) && running(c, n, s, true));
}

static bool
find(struct cell **c, size_t n, struct strip *best)
{
	float x0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY, step, least, first, last;

	qsort(c, n, sizeof(struct cell *), by_y);
	for (size_t i = 0; i < n; i++) {
		x0 = fminf(x0, c[i]->l->x0);
		x1 = fmaxf(x1, c[i]->l->x1);
		y1 = fmaxf(y1, c[i]->l->y1);
	}
	least = fmaxf(100, (y1 - c[0]->l->y0) * 0.35f);
	step = (x1 - x0) * 0.8f / STEPS;
	best->score = 0;
	for (int k = 0; k <= STEPS; k++)
		strip_at(c, n, x0 + (x1 - x0) * 0.1f + step * (float)k, least, best);
	if (!best->score)
		return false;
	/* Its middle: the same strip is found at each of its steps. */
	first = last = best->x;
	for (int k = 0; k <= STEPS; k++) {
		struct strip s = { .score = 0 };

		strip_at(c, n, last + step, least, &s);
		if (s.score < best->score - 0.5f)
			break;
		last += step;
	}
	best->x = (first + last) / 2;
	return true;
}

bool
gutter_find(struct cell **c, size_t n, struct strip *s)
{
	return n >= 2 * SIDE && find(c, n, s) && of_page(c, n, s);
}

static void
split(struct cell *all, size_t n, uint32_t region, uint32_t *next, int depth)
{
	static struct cell *some[DEPTH + 1][MOST];
	struct cell **c = some[depth];
	struct strip s;

	for (int again = 0; again < 4; again++) {
		size_t m = 0;
		uint32_t id = *next;

		for (size_t i = 0; i < n && m < MOST; i++)
			if (all[i].region == region)
				c[m++] = &all[i];
		if (!gutter_find(c, m, &s))
			return;
		*next += 2;
		for (size_t i = 0; i < m; i++)
			if (gutter_within(c[i], &s))
				c[i]->region = id + (c[i]->l->x1 > s.x + 1);
		if (depth < DEPTH) {
			split(all, n, id, next, depth + 1);
			split(all, n, id + 1, next, depth + 1);
		}
	}
}

void
gutters(struct cell *c, size_t n)
{
	uint32_t next = 1;

	split(c, n, 0, &next, 0);
}
