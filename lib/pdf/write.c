/* The blocks as MinerU's content_list has them. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "pdf/page.h"

static int
thousandth(float v, float all)
{
	float t = all > 0 ? v / all * 1000 : 0;

	return t < 0 ? 0 : t > 1000 ? 1000 : (int)(t + 0.5f);
}

static void
place(struct buf *out, const struct pdf_doc *d, const struct pdf_para *p)
{
	const struct pdf_page *g = &d->pages[p->page];

	buf_addf(out, ",\"bbox\":[%d,%d,%d,%d],\"page_idx\":%u}", thousandth(p->x0, g->w), thousandth(p->y0, g->h),
	    thousandth(p->x1, g->w), thousandth(p->y1, g->h), (unsigned)p->page);
}

static void
begin(struct buf *out, const char *type)
{
	buf_addf(out, "%s{\"type\":\"%s\"", out->p[out->len - 1] == '[' ? "" : ",", type);
}

static void
text(struct buf *out, const struct pdf_doc *d, const struct pdf_para *p)
{
	static struct buf one;

	buf_adds(out, ",\"text\":");
	if (p->kind != PDF_HEADING) {
		json_quote(out, d->made.p + p->at, p->len);
		return;
	}
	one.len = 0;
	buf_add(&one, d->made.p + p->at, p->len);
	for (size_t i = 0; i < one.len; i++)
		if (one.p[i] == '\n')
			one.p[i] = ' ';
	json_quote(out, one.p, one.len);
	buf_addf(out, ",\"text_level\":%u", p->level);
}

static void
table(struct buf *out, const struct pdf_doc *d, const struct pdf_para *p)
{
	begin(out, "table");
	buf_adds(out, ",\"table_caption\":[");
	if (p->cap_len)
		json_quote(out, d->made.p + p->cap, p->cap_len);
	buf_adds(out, "],\"table_footnote\":[],\"table_body\":");
	json_quote(out, d->made.p + p->at, p->len);
	place(out, d, p);
}

/* Items that follow each other on a page are one list. Returns how many. */
static size_t
list(struct buf *out, const struct pdf_doc *d, size_t i)
{
	struct pdf_para all = d->paras.p[i];
	size_t n = 0;

	begin(out, "list");
	buf_adds(out, ",\"sub_type\":\"text\",\"list_items\":[");
	for (; i + n < d->paras.n; n++) {
		const struct pdf_para *p = &d->paras.p[i + n];

		if (p->kind != PDF_ITEM || p->page != all.page || (n && p->y0 < d->paras.p[i + n - 1].y0))
			break;
		all.x0 = p->x0 < all.x0 ? p->x0 : all.x0, all.x1 = p->x1 > all.x1 ? p->x1 : all.x1;
		all.y0 = p->y0 < all.y0 ? p->y0 : all.y0, all.y1 = p->y1 > all.y1 ? p->y1 : all.y1;
		if (n)
			buf_addc(out, ',');
		json_quote(out, d->made.p + p->at, p->len);
	}
	buf_addc(out, ']');
	place(out, d, &all);
	return n;
}

static const char *
type_of(const struct pdf_para *p)
{
	if (p->kind == PDF_FOOTNOTE)
		return "page_footnote";
	if (p->kind != PDF_FURNITURE)
		return "text";
	return p->role == PDF_HEADER ? "header" : p->role == PDF_FOOTER ? "footer" :
	    p->role == PDF_NUMBER ? "page_number" : "aside_text";
}

void
pdf_write(struct buf *out, const struct pdf_doc *d)
{
	buf_addc(out, '[');
	for (size_t i = 0, n; i < d->paras.n; i += n) {
		const struct pdf_para *p = &d->paras.p[i];

		n = 1;
		if (!p->len)
			continue;
		if (p->kind == PDF_ITEM) {
			n = list(out, d, i);
		} else if (p->kind == PDF_TABLE) {
			table(out, d, p);
		} else {
			begin(out, type_of(p));
			text(out, d, p);
			place(out, d, p);
		}
	}
	buf_addc(out, ']');
}
