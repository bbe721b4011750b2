#include "pdf/bbox.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CARRY_MAX = 1 << 20, BOX_MAX = 1000000 };
enum { OUTSIDE, TITLE, PAGE, WORD };

void
bbox_begin(struct bbox *b, struct pdf_doc *doc, size_t text_max)
{
	pdf_doc_reset(doc);
	b->doc = doc;
	b->text_max = text_max;
	b->dropped = 0;
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
	b->drift = 0;
	p->line = (uint32_t)d->nlines;
	p->n = 0;
	return 0;
}

/* Text as poppler escapes it. */
void
bbox_unescape(struct buf *out, const char *p, size_t len)
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
	} else if (is(tag, "page")) {
		if (b->state != OUTSIDE) {
			errno = EBADMSG;
			return -1;
		}
		b->state = PAGE;
		return new_page(b, tag);
	} else if (is(tag, "/page") && (b->state == PAGE || b->state == WORD)) {
		bbox_line_end(b);
		bbox_page_end(b);
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
		return bbox_word(b, p, len);
	if (b->state == TITLE)
		bbox_unescape(&b->doc->title, p, len);
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
