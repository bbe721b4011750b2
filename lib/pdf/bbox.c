#include "pdf/bbox.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/doc.h"

enum { CARRY_MAX = 1 << 20, BOX_MAX = 1000000 };
enum { OUTSIDE, TITLE, PAGE, WORD };

void
bbox_begin(struct bbox *b, struct pdf_doc *doc, size_t text_max)
{
	pdf_doc_reset(doc);
	b->doc = doc;
	b->text_max = text_max;
	b->carry.len = 0;
	b->state = OUTSIDE;
	b->in_line = false;
}

/* The number in NAME="..." of a tag that ends with a NUL. */
static float
number(const char *tag, const char *name)
{
	const char *p = strstr(tag, name);
	float v;

	if (!p)
		return 0;
	v = strtof(p + strlen(name), NULL);
	if (!isfinite(v))
		return 0;
	return v > BOX_MAX ? BOX_MAX : v < -BOX_MAX ? -BOX_MAX : v;
}

static int
new_page(struct bbox *b, const char *tag)
{
	struct pdf_doc *d = b->doc;
	struct pdf_page *p;

	if (d->npages == PDF_PAGES_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (d->npages == d->pages_cap) {
		d->pages_cap = d->pages_cap ? d->pages_cap * 2 : 64;
		d->pages = mem_array(d->pages, d->pages_cap, sizeof *d->pages);
	}
	p = &d->pages[d->npages++];
	p->w = number(tag, "width=\"");
	p->h = number(tag, "height=\"");
	p->line = (uint32_t)d->nlines;
	p->n = 0;
	return 0;
}

/* The line goes on in this word: it stands beside the last one, no column apart. */
static bool
same_line(const struct bbox *b)
{
	const float *w = b->word, *v = b->last;
	float h = fminf(w[3] - w[1], v[3] - v[1]), gap = w[0] - v[2];

	return b->in_line && fminf(w[3], v[3]) - fmaxf(w[1], v[1]) > h * 0.35f && gap < h * 1.05f && gap > h * -0.5f;
}

static void
end_line(struct bbox *b)
{
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;

	if (!b->in_line)
		return;
	l = &d->lines[d->nlines];
	l->len = (uint32_t)(d->text.len - l->at);
	l->char_w = b->width / (float)b->chars;
	if (b->turned > b->upright)
		l->role = PDF_ASIDE;
	b->in_line = false;
	buf_addc(&d->text, ' ');        /* so that two lines next to each other can be made one */
	d->nlines++;
	d->pages[d->npages - 1].n++;
}

static int
new_line(struct bbox *b)
{
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;

	end_line(b);
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
	b->longest = b->chars = b->upright = b->turned = 0;
	b->width = 0;
	b->in_line = true;
	return 0;
}

/* Text as poppler escapes it. */
static void
unescape(struct buf *out, const char *p, size_t len)
{
	static const struct { const char *name; char c; } refs[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' },
	};
	const char *end = p + len, *amp;

	while ((amp = memchr(p, '&', (size_t)(end - p)))) {
		size_t i, n = 0;

		buf_add(out, p, (size_t)(amp - p));
		for (i = 0; i < sizeof refs / sizeof *refs; i++) {
			n = strlen(refs[i].name);
			if ((size_t)(end - amp) >= n && memcmp(amp, refs[i].name, n) == 0)
				break;
		}
		if (i == sizeof refs / sizeof *refs) {
			buf_addc(out, '&');
			p = amp + 1;
		} else {
			buf_addc(out, refs[i].c);
			p = amp + n;
		}
	}
	buf_add(out, p, (size_t)(end - p));
}

/* The word's text, without its control bytes. */
static const struct buf *
clean(const char *p, size_t len)
{
	static struct buf raw, word;

	raw.len = word.len = 0;
	unescape(&raw, p, len);
	pdf_clean(&word, buf_str(&raw), raw.len);
	for (size_t i = 0; i < word.len; i++)
		if (word.p[i] == '\n' || word.p[i] == '\t')
			word.p[i] = ' ';
	return &word;
}

static int
add_word(struct bbox *b, const char *p, size_t len)
{
	const struct buf *word = clean(p, len);
	struct pdf_doc *d = b->doc;
	struct pdf_line *l;
	const float *w = b->word;
	size_t chars = 0;

	if (!word->len)
		return 0;
	if (d->text.len + word->len + 2 > b->text_max) {
		errno = EFBIG;
		return -1;
	}
	if (!same_line(b) && new_line(b) < 0)
		return -1;
	l = &d->lines[d->nlines];
	if (d->text.len > l->at)
		buf_addc(&d->text, ' ');
	buf_add(&d->text, word->p, word->len);
	pdf_compound_add(d, word->p, word->len);
	for (size_t i = 0; i < word->len; i++)
		chars += (word->p[i] & 0xC0) != 0x80;
	l->x0 = fminf(l->x0, w[0]), l->y0 = fminf(l->y0, w[1]);
	l->x1 = fmaxf(l->x1, w[2]), l->y1 = fmaxf(l->y1, w[3]);
	if (chars > b->longest) {
		b->longest = chars;
		l->base = w[3];
		l->h = fmaxf(w[3] - w[1], 0.1f);
	}
	b->chars += chars;
	b->width += w[2] - w[0];
	*(chars > 2 && w[3] - w[1] > 1.5f * (w[2] - w[0]) ? &b->turned : &b->upright) += chars;
	memcpy(b->last, w, sizeof b->last);
	return 0;
}

static bool
is(const char *tag, const char *name)
{
	size_t n = strlen(name);

	return strncmp(tag, name, n) == 0 && (!tag[n] || tag[n] == ' ');
}

/* tag: what stands between < and >, with a NUL. */
static int
on_tag(struct bbox *b, const char *tag)
{
	if (is(tag, "word") && b->state == PAGE) {
		b->word[0] = number(tag, "xMin=\""), b->word[1] = number(tag, "yMin=\"");
		b->word[2] = number(tag, "xMax=\""), b->word[3] = number(tag, "yMax=\"");
		b->word[2] = fmaxf(b->word[0], b->word[2]);
		b->state = WORD;
	} else if (is(tag, "/word") && b->state == WORD) {
		b->state = PAGE;
	} else if (is(tag, "page") && b->state != PAGE) {
		end_line(b);
		b->state = PAGE;
		return new_page(b, tag);
	} else if (is(tag, "/page")) {
		end_line(b);
		b->state = OUTSIDE;
	} else if (is(tag, "title") && !b->doc->npages) {
		b->state = TITLE;
	} else if (is(tag, "/title") && b->state == TITLE) {
		b->state = OUTSIDE;
	}
	return 0;
}

static int
on_text(struct bbox *b, const char *p, size_t len)
{
	if (b->state == WORD)
		return add_word(b, p, len);
	if (b->state == TITLE)
		unescape(&b->doc->title, p, len);
	return 0;
}

int
bbox_feed(struct bbox *b, const char *p, size_t len)
{
	char *at, *end, *stop;

	buf_add(&b->carry, p, len);
	at = buf_str(&b->carry);
	end = at + b->carry.len;
	/* A text goes up to the next "<", a tag up to the next ">". */
	while (at < end && (stop = memchr(at, *at == '<' ? '>' : '<', (size_t)(end - at)))) {
		int r;

		if (*at == '<') {
			*stop = 0;
			r = on_tag(b, at + 1);
			at = stop + 1;
		} else {
			r = on_text(b, at, (size_t)(stop - at));
			at = stop;
		}
		if (r < 0)
			return -1;
	}
	buf_shift(&b->carry, (size_t)(at - b->carry.p));
	if (b->carry.len <= CARRY_MAX)
		return 0;
	errno = EBADMSG;
	return -1;
}

int
bbox_end(struct bbox *b)
{
	if (b->state == OUTSIDE)
		return 0;
	errno = EBADMSG;
	return -1;
}
