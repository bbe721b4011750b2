#include "pdf/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
pdf_doc_reset(struct pdf_doc *d)
{
	d->text.len = d->made.len = d->title.len = 0;
	d->nlines = d->npages = d->paras.n = d->tables.n = d->ncompounds = 0;
	d->body = 0;
	if (!d->compounds)
		d->compounds = mem_array(NULL, PDF_COMPOUNDS, sizeof *d->compounds);
	memset(d->compounds, 0, PDF_COMPOUNDS * sizeof *d->compounds);
}

void
pdf_doc_release(struct pdf_doc *d)
{
	buf_free(&d->text);
	buf_free(&d->made);
	buf_free(&d->title);
	free(d->lines);
	free(d->pages);
	free(d->paras.p);
	free(d->tables.p);
	free(d->compounds);
	memset(d, 0, sizeof *d);
}

struct pdf_para *
pdf_para_new(struct pdf_doc *d, struct pdf_paras *to, size_t page, enum pdf_kind kind)
{
	struct pdf_para *p;

	if (to->n == to->cap) {
		to->cap = to->cap ? to->cap * 2 : 256;
		to->p = mem_array(to->p, to->cap, sizeof *to->p);
	}
	p = &to->p[to->n++];
	memset(p, 0, sizeof *p);
	p->page = (uint32_t)page;
	p->kind = (uint8_t)kind;
	p->at = d->made.len;
	return p;
}

void
pdf_para_box(struct pdf_para *p, const struct pdf_line *l)
{
	if (!p->lines++) {
		p->x0 = l->x0, p->y0 = l->y0, p->x1 = l->x1, p->y1 = l->y1;
		p->h = l->h;
		p->char_w = l->char_w;
		return;
	}
	p->x0 = fminf(p->x0, l->x0), p->y0 = fminf(p->y0, l->y0);
	p->x1 = fmaxf(p->x1, l->x1), p->y1 = fmaxf(p->y1, l->y1);
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static size_t
spaces(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] == ' ')
		i++;
	return i;
}

/* "1." "12)" "(3)" "a)" "(iv)": its length, 0 if it is none. */
static size_t
counter(const char *p, size_t len)
{
	size_t i = 0, from;
	bool open = len && p[0] == '(';

	i = from = open;
	while (i < len && i < from + 3 && digit(p[i]))
		i++;
	if (i == from)
		while (i < len && i < from + 4 && strchr(i == from ? "abcdefghijklmnopqrstuvwxyzABCDEFGH" : "ivx", p[i]))
			i++;
	if (i == from || i == len || !(p[i] == ')' || (p[i] == '.' && !open && digit(p[from]))))
		return 0;
	return i + 1;
}

/* A glyph without a character of its own, such as a bullet out of a symbol font:
 * a control code, one for private use, U+FFFD. */
static size_t
unnamed(const char *p, size_t len)
{
	unsigned char a, b;

	if (len < 3)
		return 0;
	a = (unsigned char)p[0], b = (unsigned char)p[1];
	if (a == 0xC2 && b >= 0x80 && b < 0xA0)
		return 2;
	return (a == 0xEE || (a == 0xEF && (b <= 0xA3 || (b == 0xBF && (unsigned char)p[2] == 0xBD)))) ? 3 : 0;
}

size_t
pdf_marker(const char *p, size_t len)
{
	static const char *const bullets[] = {
		"\xE2\x80\xA2", "\xE2\x80\xA3", "\xE2\x97\xA6", "\xE2\x97\x8F", "\xE2\x97\x8B", "\xE2\x96\xAA",
		"\xE2\x96\xA0", "\xE2\x96\xB6", "\xE2\x9E\xA2", "\xEF\x82\xB7", "\xC2\xB7", "\xE2\x88\x97", "\xE2\x80\x93", "-", "*",
	};
	size_t n = 0, sp;

	for (size_t i = 0; i < sizeof bullets / sizeof *bullets && !n; i++)
		if (len >= strlen(bullets[i]) && memcmp(p, bullets[i], strlen(bullets[i])) == 0)
			n = strlen(bullets[i]);
	if (!n)
		n = unnamed(p, len);
	if (!n)
		n = counter(p, len);
	if (!n)
		return 0;
	sp = spaces(p + n, len - n);
	return sp || n == len ? n + sp : 0;
}

/* Of a word in small letters, without what stands around its letters. */
static uint64_t
hash_word(const char *p, size_t len)
{
	uint64_t h = 14695981039346656037u;

	while (len && !letter(*p))
		p++, len--;
	while (len && !letter(p[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i])) * 1099511628211u;
	return h | 1;
}

bool
pdf_compound(const struct pdf_doc *d, const char *p, size_t len)
{
	uint64_t h = hash_word(p, len);
	size_t i = h % PDF_COMPOUNDS;

	for (; d->compounds[i]; i = (i + 1) % PDF_COMPOUNDS)
		if (d->compounds[i] == h)
			return true;
	return false;
}

void
pdf_compound_add(struct pdf_doc *d, const char *p, size_t len)
{
	const char *dash = memchr(p, '-', len);
	size_t i;

	if (!dash || dash == p || dash == p + len - 1 || !letter(dash[-1]) || !letter(dash[1]))
		return;
	if (d->ncompounds >= PDF_COMPOUNDS / 2 || pdf_compound(d, p, len))
		return;
	for (i = hash_word(p, len) % PDF_COMPOUNDS; d->compounds[i]; i = (i + 1) % PDF_COMPOUNDS)
		;
	d->compounds[i] = hash_word(p, len);
	d->ncompounds++;
}
