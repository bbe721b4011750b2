/* What repeats from page to page at its edges: headers, footers, page numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/page.h"

/* Lines of a zone are looked at only where there are few of them. */
enum { ZONE = 8, NEAR = 2, BINS = 1 << 12 };
static const float ZONE_PART = 0.15f, SAME_Y = 4;

struct mark {
	uint32_t line;
	uint64_t key;
	bool number, chosen;
};

struct zone {
	struct mark m[ZONE];
	size_t n;
};

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
numeral(char c)
{
	return digit(c) || strchr("ivxlcIVXLC", c);
}

/* White space and case do not count; a number at either end may be any. *number: a
 * page number; 0: too little to tell by. */
static uint64_t
key_of(const char *p, size_t len, bool *number)
{
	uint64_t h = 14695981039346656037u;
	size_t from = 0, n = 0, other = 0, letters = 0;

	for (size_t i = 0; i < len; i++) {
		n += p[i] && numeral(p[i]);
		other += p[i] != ' ' && !(p[i] && numeral(p[i])) && (p[i] != '-' || (i && i + 1 < len));
		letters += (p[i] & 0x80) || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z');
	}
	*number = n && n <= 6 && !other;        /* "- 5 -" is one, "4.1" is not */
	if (*number)
		return 1;
	if (letters < 3)
		return 0;
	while (from < len && digit(p[from]))
		from++;
	while (len > from && digit(p[len - 1]))
		len--;
	for (size_t i = from; i < len; i++)
		if (p[i] != ' ')
			h = (h ^ (unsigned char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i])) * 1099511628211u;
	return h | 2;
}

/* The two outermost rows of a page, above or below. */
static void
zone_fill(const struct pdf_doc *d, const struct pdf_page *p, bool top, struct zone *z)
{
	float edge = top ? p->h * ZONE_PART : p->h * (1 - ZONE_PART), last = top ? -INFINITY : INFINITY;

	z->n = 0;
	for (int row = 0; row < 2; row++) {
		const struct pdf_line *best = NULL;

		for (uint32_t i = p->line; i < p->line + p->n; i++) {
			const struct pdf_line *l = &d->lines[i];

			if (l->role != PDF_BODY || (top ? l->base > edge || l->base <= last : l->base < edge || l->base >= last))
				continue;
			if (!best || (top ? l->base < best->base : l->base > best->base))
				best = l;
		}
		if (!best)
			return;
		for (uint32_t i = p->line; i < p->line + p->n && z->n < ZONE; i++) {
			const struct pdf_line *l = &d->lines[i];
			struct mark *m = &z->m[z->n];

			if (l->role != PDF_BODY || !pdf_same_row(l, best))
				continue;
			m->line = i;
			m->key = key_of(pdf_text(d, l), l->len, &m->number);
			m->chosen = false;
			z->n++;
		}
		last = best->base + (top ? best->h * 0.3f : best->h * -0.3f);
	}
}

/* The same stands there on a page nearby. */
static bool
repeats(const struct pdf_doc *d, const struct zone *z, size_t page, const struct mark *m)
{
	size_t lo = page > NEAR ? page - NEAR : 0, hi = page + NEAR < d->npages ? page + NEAR : d->npages - 1;

	for (size_t q = lo; m->key && q <= hi; q++)
		for (size_t k = 0; q != page && k < z[q].n; k++)
			if (z[q].m[k].key == m->key &&
			    fabsf(d->lines[z[q].m[k].line].base - d->lines[m->line].base) < SAME_Y)
				return true;
	return false;
}

static bool
has_chosen_at(const struct pdf_doc *d, const struct zone *z, float base)
{
	for (size_t k = 0; k < z->n; k++)
		if (z->m[k].chosen && fabsf(d->lines[z->m[k].line].base - base) < 1)
			return true;
	return false;
}

/* What changes from page to page, such as a section's name, on the row of something that repeats. */
static bool
beside(const struct pdf_doc *d, const struct zone *z, size_t page, const struct mark *m)
{
	float base = d->lines[m->line].base;

	if (has_chosen_at(d, &z[page], base))
		return true;
	return page > 0 && page + 1 < d->npages && has_chosen_at(d, &z[page - 1], base) &&
	    has_chosen_at(d, &z[page + 1], base);
}

static void
choose(struct pdf_doc *d, struct zone *z, bool top)
{
	for (size_t p = 0; p < d->npages; p++)
		zone_fill(d, &d->pages[p], top, &z[p]);
	for (size_t p = 0; p < d->npages; p++)
		for (size_t k = 0; k < z[p].n; k++)
			z[p].m[k].chosen = repeats(d, z, p, &z[p].m[k]) ||
			    (d->npages < 3 && !top && z[p].m[k].number && z[p].n == 1);
	for (size_t p = 0; p < d->npages; p++)
		for (size_t k = 0; k < z[p].n; k++) {
			struct mark *m = &z[p].m[k];

			if (m->chosen || beside(d, z, p, m))
				d->lines[m->line].role = m->number ? PDF_NUMBER : top ? PDF_HEADER : PDF_FOOTER;
		}
}

/* Pages of which nothing else would be left have no furniture: copies of a form, one label after the other. */
static void
keep_some(struct pdf_doc *d)
{
	for (size_t i = 0; i < d->nlines; i++)
		if (d->lines[i].role == PDF_BODY)
			return;
	for (size_t i = 0; i < d->nlines; i++)
		if (d->lines[i].role != PDF_ASIDE)
			d->lines[i].role = PDF_BODY;
}

/* Running text, no code: hardly anything but letters. */
static bool
plain(const char *p, size_t len)
{
	size_t odd = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		odd += !(c >= 0x80 || c == ' ' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
	}
	return odd * 12 < len;
}

/* The height that most of the text has, in quarters of a point. */
static float
body_height(const struct pdf_doc *d)
{
	static size_t bins[BINS];
	size_t best = 0;

	memset(bins, 0, sizeof bins);
	for (size_t i = 0; i < d->nlines; i++) {
		const struct pdf_line *l = &d->lines[i];
		float b = l->h * 4;

		if (l->role == PDF_BODY && b < BINS - 1)
			bins[(size_t)b] += plain(pdf_text(d, l), l->len) ? l->len * 8 : l->len;
	}
	for (size_t i = 1; i < BINS; i++)
		if (bins[i] > bins[best])
			best = i;
	return ((float)best + 0.5f) / 4;
}

/* The width of a character, on the average, in text of that height. */
static float
body_width(const struct pdf_doc *d)
{
	double sum = 0, chars = 0;

	for (size_t i = 0; i < d->nlines; i++) {
		const struct pdf_line *l = &d->lines[i];

		if (l->role == PDF_BODY && fabsf(l->h - d->body) < 0.5f) {
			sum += (double)l->char_w * l->len;
			chars += l->len;
		}
	}
	return chars > 0 ? (float)(sum / chars) : 0;
}

void
pdf_marks(struct pdf_doc *d)
{
	struct zone *z;

	if (!d->npages)
		return;
	z = mem_array(NULL, d->npages, sizeof *z);
	choose(d, z, true);
	choose(d, z, false);
	free(z);
	keep_some(d);
	d->body = body_height(d);
	d->body_w = body_width(d);
}
