#include "text/pieces.h"

#include "text/html.h"
#include "text/table.h"
#include "text/tidy.h"

void
piece_end(struct blocks *b, size_t from, uint32_t page, enum layout_kind kind, size_t head)
{
	struct layout_piece p = { .at = (uint32_t)from, .page = page, .kind = kind, .head = (uint32_t)head,
	    .path = b->path, .path_len = b->path_len };

	if (b->text.len > from) {
		p.len = (uint32_t)(b->text.len - from);
		layout_add(&b->layout, &p);
		b->told += 40 + p.path_len;
	} else if (b->layout.n) {       /* without the blank line before it */
		const struct layout_piece *last = &b->layout.p[b->layout.n - 1];

		b->text.len = last->at + last->len;
	}
}

size_t
piece_begin(struct blocks *b)
{
	if (b->text.len)
		buf_adds(&b->text, "\n\n");
	return b->text.len;
}

static void
add_line(struct blocks *b, size_t from, struct buf *raw)
{
	size_t at = b->text.len;

	if (at > from)
		buf_addc(&b->text, '\n');
	tidy_line(&b->text, buf_str(raw), raw->len);
	if (b->text.len == at + (at > from))
		b->text.len = at;
}

/* The lines of a member that is a string or an array of strings. */
static void
add_lines(struct blocks *b, size_t from, const struct rec_member *m)
{
	static struct rec items = REC_INIT;
	static struct buf raw;

	raw.len = 0;
	if (m && rec_str(m, &raw) == 0) {
		add_line(b, from, &raw);
		return;
	}
	if (!m || m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < items.n; i++) {
		raw.len = 0;
		if (rec_str(&items.m[i], &raw) == 0)
			add_line(b, from, &raw);
	}
}

static void
as_text(struct buf *out, struct buf *html)
{
	static struct buf raw, title;

	raw.len = title.len = 0;
	html_text(&raw, &title, buf_str(html), html->len);
	tidy_lines(out, buf_str(&raw), raw.len);
}

void
piece_table(struct blocks *b, const struct rec *item, uint32_t page)
{
	static struct buf html;
	size_t from = piece_begin(b), body, head = 0;

	html.len = 0;
	add_lines(b, from, rec_get(item, "table_caption"));
	if (rec_str(rec_get(item, "table_body"), &html) == 0) {
		if (b->text.len > from)
			buf_addc(&b->text, '\n');
		body = b->text.len;
		head = table_text(&b->text, html.p ? html.p : "", html.len);
		if (b->text.len == body)        /* no rows: whatever text it is */
			as_text(&b->text, &html);
		if (b->text.len == body)
			b->text.len -= body > from;
		else if (head)
			head += body - from;
	} else {
		add_lines(b, from, rec_get(item, "text"));
	}
	add_lines(b, from, rec_get(item, "table_footnote"));
	piece_end(b, from, page, LAYOUT_TABLE, head);
}

void
piece_figure(struct blocks *b, const struct rec *item, uint32_t page)
{
	static const char *const members[] = { "image_caption", "chart_caption", "text", "image_footnote", "chart_footnote" };
	size_t from = piece_begin(b);

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		add_lines(b, from, rec_get(item, members[i]));
	piece_end(b, from, page, LAYOUT_TEXT, 0);
}

void
piece_code(struct blocks *b, const struct rec *item, uint32_t page)
{
	static struct buf raw;
	size_t from = piece_begin(b);

	raw.len = 0;
	add_lines(b, from, rec_get(item, "code_caption"));
	if (rec_str(rec_get(item, "code_body"), &raw) == 0 || rec_str(rec_get(item, "text"), &raw) == 0) {
		if (b->text.len > from)
			buf_addc(&b->text, '\n');
		tidy_lines(&b->text, buf_str(&raw), raw.len);
	}
	piece_end(b, from, page, LAYOUT_TEXT, 0);
}

void
piece_list(struct blocks *b, const struct rec *item, uint32_t page)
{
	const struct rec_member *m = rec_get(item, "list_items");
	size_t from = piece_begin(b);

	add_lines(b, from, m ? m : rec_get(item, "text"));
	piece_end(b, from, page, LAYOUT_LIST, 0);
}
