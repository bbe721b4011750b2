/* Words with boxes become lines. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "pdf/bbox.h"
#include "text/doc.h"

enum {
	TWICE = 64,             /* so many lines before are compared */
	SURELY = 6              /* characters of a line that can't be narrow letters by chance */
};

/* A word that runs upwards or downwards. */
static bool
is_turned(const float *w, size_t chars)
{
	return chars > 2 && w[3] - w[1] > 1.5f * (w[2] - w[0]);
}

/* The line runs upwards or downwards and goes on in this word, which stands above or below the last one. */
static bool
same_turned(const struct bbox *b, bool turned)
{
	const float *w = b->word, *v = b->last;
	float h = fminf(w[2] - w[0], v[2] - v[0]), gap = fmaxf(w[1] - v[3], v[1] - w[3]);

	if (!b->in_line || b->turned <= b->upright || (b->turned < SURELY && !(turned && !b->upright)))
		return false;
	return fminf(w[2], v[2]) - fmaxf(w[0], v[0]) > h * 0.35f && gap < h * 1.05f && gap > h * -0.5f;
}

/* The line goes on in this word: it stands beside the last one, no column apart. */
static bool
same_line(const struct bbox *b, bool turned)
{
	const float *w = b->word, *v = b->last;
	float h = fminf(w[3] - w[1], v[3] - v[1]), gap = w[0] - v[2];

	if (same_turned(b, turned))
		return true;
	return b->in_line && fminf(w[3], v[3]) - fmaxf(w[1], v[1]) > h * 0.35f && gap < h * 1.05f && gap > h * -0.5f;
}

/* The same a hair's breadth aside, which is how some programs print bold. */
static bool
printed_twice(const struct pdf_doc *d, const struct pdf_line *l)
{
	size_t first = d->pages[d->npages - 1].line;

	for (size_t i = d->nlines; i-- > first && d->nlines - i <= TWICE;) {
		const struct pdf_line *k = &d->lines[i];

		if (k->len == l->len && fabsf(k->x0 - l->x0) < l->h * 0.15f && fabsf(k->base - l->base) < l->h * 0.15f &&
		    memcmp(pdf_text(d, k), pdf_text(d, l), l->len) == 0)
			return true;
	}
	return false;
}

void
bbox_line_end(struct bbox *b)
{
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;

	if (!b->in_line)
		return;
	l = &d->lines[d->nlines];
	l->len = (uint32_t)(d->text.len - l->at);
	b->in_line = false;
	if (printed_twice(d, l)) {
		b->dropped += l->len;
		d->text.len = l->at;
		return;
	}
	l->char_w = b->width / (float)b->chars;
	if (b->turned > b->upright)
		l->role = PDF_ASIDE;
	buf_addc(&d->text, ' ');        /* so that two lines next to each other can be made one */
	d->nlines++;
	d->pages[d->npages - 1].n++;
}

static int
new_line(struct bbox *b)
{
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;

	bbox_line_end(b);
	if (d->nlines == PDF_LINES_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (d->nlines == d->lines_cap) {
		d->lines_cap = d->lines_cap ? d->lines_cap * 2 : 1024;
		d->lines = mem_array(d->lines, d->lines_cap, sizeof *d->lines);
	}
	l = &d->lines[d->nlines];       /* counted when it ends */
	memset(l, 0, sizeof *l);
	l->at = (uint32_t)d->text.len;
	l->x0 = b->word[0], l->y0 = b->word[1], l->x1 = b->word[2], l->y1 = b->word[3];
	l->first_w = l->x1 - l->x0;
	b->most = b->chars = b->upright = b->turned = 0;
	b->width = 0;
	b->nsizes = 0;
	b->in_line = true;
	return 0;
}

/* The word's text: control bytes mended, ligatures as letters. */
static const struct buf *
clean(const char *p, size_t len)
{
	static const char *const ligatures[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };
	static struct buf raw, mended, word;

	raw.len = mended.len = word.len = 0;
	bbox_unescape(&raw, p, len);
	pdf_clean(&mended, buf_str(&raw), raw.len);
	for (size_t i = 0; i < mended.len; i++) {
		const unsigned char *c = (const unsigned char *)mended.p + i;

		if (mended.len - i > 2 && c[0] == 0xEF && c[1] == 0xAC && c[2] >= 0x80 && c[2] <= 0x86) {
			buf_adds(&word, ligatures[c[2] - 0x80]);
			i += 2;
		} else {
			buf_addc(&word, *c == '\n' || *c == '\t' ? ' ' : (char)*c);
		}
	}
	return &word;
}

/* A line is as high as most of its text: fonts in it may say anything. */
static void
measure(struct bbox *b, struct pdf_line *l, size_t chars)
{
	const float *w = b->word;
	float h = fmaxf(w[3] - w[1], 0.1f);
	int i = 0;

	while (i < b->nsizes && fabsf(b->size[i].h - h) > 0.2f)
		i++;
	if (i == BBOX_SIZES)
		return;
	if (i == b->nsizes) {
		b->size[i].h = h;
		b->size[i].chars = 0;
		b->nsizes++;
	}
	b->size[i].chars += chars;
	if (b->size[i].chars > b->most) {
		b->most = b->size[i].chars;
		l->base = w[3];
		l->h = h;
	}
}

/* Between this word and the last one. Kerning and a change of font make two words of one, without a blank. */
static bool
blank(struct bbox *b, bool turned)
{
	const float *w = b->word, *v = b->last;

	if (!same_turned(b, turned))
		return w[0] - v[2] > (w[3] - w[1]) * 0.02f;
	b->drift += w[1] - v[1];
	return fmaxf(w[1] - v[3], v[1] - w[3]) > (w[2] - w[0]) * 0.02f;
}

/* A line as it stands when the page is turned. */
static void
turn_line(struct pdf_line *l, const struct pdf_page *p, bool up, const char *text)
{
	float x0 = l->x0, y0 = l->y0, x1 = l->x1, y1 = l->y1;
	const char *space = memchr(text, ' ', l->len);

	l->x0 = up ? p->h - y1 : y0;
	l->x1 = up ? p->h - y0 : y1;
	l->y0 = up ? x0 : p->w - x1;
	l->y1 = up ? x1 : p->w - x0;
	l->base = l->y1;
	l->h = l->y1 - l->y0;
	l->char_w = (l->x1 - l->x0) / (float)l->len;
	l->first_w = l->char_w * (float)(space ? (size_t)(space - text) : l->len);
	l->role = PDF_BODY;
}

void
bbox_page_end(struct bbox *b)
{
	struct pdf_doc *d = b->doc;
	struct pdf_page *p = &d->pages[d->npages - 1];
	struct pdf_line *l = d->lines + p->line;
	size_t aside = 0, upright = 0;
	float w = p->w;

	for (uint32_t i = 0; i < p->n; i++)
		*(l[i].role == PDF_ASIDE ? &aside : &upright) += l[i].len;
	if (aside <= 2 * upright)
		return;
	for (uint32_t i = 0; i < p->n; i++)
		turn_line(&l[i], p, b->drift < 0, pdf_text(d, &l[i]));
	p->w = p->h;
	p->h = w;
}

int
bbox_word(struct bbox *b, const char *p, size_t len)
{
	const struct buf *word = clean(p, len);
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;
	const float *w = b->word;
	size_t chars = 0;
	bool turned;

	if (!word->len)
		return 0;
	if (d->text.len + b->dropped + word->len + 2 > b->text_max) {
		errno = EFBIG;
		return -1;
	}
	for (size_t i = 0; i < word->len; i++)
		chars += (word->p[i] & 0xC0) != 0x80;
	turned = is_turned(w, chars);
	if (!same_line(b, turned) && new_line(b) < 0)
		return -1;
	l = &d->lines[d->nlines];
	if (d->text.len > l->at && blank(b, turned))
		buf_addc(&d->text, ' ');
	buf_add(&d->text, word->p, word->len);
	pdf_compound_add(d, word->p, word->len);
	l->x0 = fminf(l->x0, w[0]), l->y0 = fminf(l->y0, w[1]);
	l->x1 = fmaxf(l->x1, w[2]), l->y1 = fmaxf(l->y1, w[3]);
	measure(b, l, chars);
	b->chars += chars;
	b->width += w[2] - w[0];
	*(turned ? &b->turned : &b->upright) += chars;
	memcpy(b->last, w, sizeof b->last);
	return 0;
}
