/* The lines of a paragraph as one text. */
#include <math.h>
#include <string.h>

#include "pdf/para.h"

static bool
lower(const char *p)
{
	return *p >= 'a' && *p <= 'z';
}

/* The last word of the text, with its hyphen, and the first of the line. */
static bool
keeps_hyphen(const struct pdf_doc *d, size_t from, const struct pdf_line *l)
{
	static struct buf word;
	const char *p = pdf_text(d, l);
	size_t i = d->made.len, n = 0;

	while (i > from && d->made.p[i - 1] != ' ' && d->made.p[i - 1] != '\n')
		i--;
	while (n < l->len && p[n] != ' ')
		n++;
	word.len = 0;
	buf_add(&word, d->made.p + i, d->made.len - i);
	buf_add(&word, p, n);
	return pdf_compound(d, buf_str(&word), word.len);
}

/* What stands between two lines of running text. */
static void
seam(struct pdf_doc *d, size_t from, const struct pdf_line *next)
{
	struct buf *out = &d->made;
	size_t n = out->len;
	unsigned char before;

	if (n - from >= 3 && memcmp(out->p + n - 2, "\xC2\xAD", 2) == 0) {      /* a soft hyphen */
		out->len -= 2;
		return;
	}
	if (n - from < 2 || out->p[n - 1] != '-') {
		buf_addc(out, ' ');
		return;
	}
	before = (unsigned char)out->p[n - 2];
	if (!((before | 0x20) >= 'a' && (before | 0x20) <= 'z') && before < 0x80)
		buf_addc(out, ' ');     /* a dash, an option */
	else if ((lower(pdf_text(d, next)) || (unsigned char)*pdf_text(d, next) >= 0x80) && !keeps_hyphen(d, from, next))
		out->len--;
}

void
para_join(struct pdf_doc *d, const struct pdf_line *const *l, size_t n, bool verbatim)
{
	size_t from = d->made.len;
	float left = INFINITY, width = 0;

	for (size_t i = 0; i < n; i++) {
		left = fminf(left, l[i]->x0);
		width = fmaxf(width, (l[i]->x1 - l[i]->x0) / (float)l[i]->len);
	}
	for (size_t i = 0; i < n; i++) {
		if (i && (pdf_same_row(l[i - 1], l[i]) || !verbatim)) {
			if (pdf_same_row(l[i - 1], l[i]))
				buf_addc(&d->made, ' ');
			else
				seam(d, from, l[i]);
		} else if (verbatim) {
			float indent = width > 0.5f ? (l[i]->x0 - left) / width : 0;

			if (i)
				buf_addc(&d->made, '\n');
			for (int k = 0; i && k < 40 && (float)k + 0.7f < indent; k++)
				buf_addc(&d->made, ' ');
		}
		buf_add(&d->made, pdf_text(d, l[i]), l[i]->len);
	}
}
