#include <math.h>

#include "pdf/kinds.h"

enum { LEVELS = 6, SIZES = 16 };

/* The usual height of headings with a number, per depth; 0: none. */
static void
by_number(struct pdf_doc *d, float h[LEVELS + 1])
{
	size_t n[LEVELS + 1] = { 0 };
	float sum[LEVELS + 1] = { 0 };

	for (size_t i = 0; i < d->paras.n; i++) {
		struct pdf_para *p = &d->paras.p[i];
		size_t end;
		unsigned depth;

		if (p->kind != PDF_HEADING)
			continue;
		depth = kinds_numbered(d->made.p + p->at, p->len, &end);
		p->level = (uint8_t)depth;
		n[depth]++;
		sum[depth] += p->h;
	}
	for (int k = 1; k <= LEVELS; k++)
		h[k] = n[k] ? sum[k] / (float)n[k] : 0;
}

/* The other sizes, from the largest down. */
static size_t
sizes(const struct pdf_doc *d, float title_h, float s[SIZES])
{
	size_t n = 0;

	while (n < SIZES) {
		float next = 0, under = n ? s[n - 1] * 0.95f : INFINITY;

		for (size_t i = 0; i < d->paras.n; i++) {
			const struct pdf_para *p = &d->paras.p[i];

			if (p->kind == PDF_HEADING && !p->level && p->h < under && p->h < title_h * 0.98f)
				next = fmaxf(next, p->h);
		}
		if (!next)
			break;
		s[n++] = next;
	}
	return n;
}

static unsigned
level_of(const struct pdf_para *p, const float numbered[LEVELS + 1], const float *s, size_t n)
{
	unsigned best = 0, lowest = 0;

	for (unsigned k = 1; k <= LEVELS; k++) {
		if (!numbered[k])
			continue;
		lowest = k;
		if (fabsf(numbered[k] - p->h) < p->h * 0.05f)
			best = k;
	}
	if (best)
		return best;
	if (lowest)             /* larger than all of them, or the smallest */
		return p->h > numbered[lowest] ? 1 : lowest < LEVELS ? lowest + 1 : LEVELS;
	for (unsigned k = 0; k < n; k++)
		if (p->h > s[k] * 0.95f)
			return k + 1 < LEVELS ? k + 1 : LEVELS;
	return LEVELS;
}

void
pdf_levels(struct pdf_doc *d, float title_h)
{
	float by_depth[LEVELS + 1] = { 0 }, s[SIZES] = { 0 };
	size_t n;

	by_number(d, by_depth);
	n = sizes(d, title_h, s);
	for (size_t i = 0; i < d->paras.n; i++) {
		struct pdf_para *p = &d->paras.p[i];

		if (p->kind != PDF_HEADING || p->level)
			continue;
		p->level = p->page == 0 && p->h >= title_h * 0.98f ? 1 : (uint8_t)level_of(p, by_depth, s, n);
	}
}
