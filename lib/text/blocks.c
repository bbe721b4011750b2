#include "text/blocks.h"

#include <stdbool.h>
#include <stdio.h>

#include "text/pieces.h"
#include "text/tidy.h"

enum { PAGES = 1000000, LAYOUT_MAX = 256 << 20, WAITING = sizeof(((struct blocks *)NULL)->waiting) / sizeof(size_t), LEVELS = 100 };

/* What is done with a block of a type. */
enum what { WHAT_TEXT, WHAT_LIST, WHAT_TABLE, WHAT_FIGURE, WHAT_CODE, WHAT_NOTE, WHAT_NOT };

static const struct { const char *type; enum what what; } types[] = {
	{ "text", WHAT_TEXT }, { "list", WHAT_LIST }, { "table", WHAT_TABLE }, { "image", WHAT_FIGURE },
	{ "chart", WHAT_FIGURE }, { "code", WHAT_CODE }, { "page_footnote", WHAT_NOTE }, { "header", WHAT_NOT },
	{ "footer", WHAT_NOT }, { "page_number", WHAT_NOT }, { "aside_text", WHAT_NOT },
};

static enum what
what_of(const struct rec *item)
{
	const struct rec_member *type = rec_get(item, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (rec_is(type, types[i].type))
			return types[i].what;
	return WHAT_TEXT;       /* "equation", and what newer versions have */
}

static struct rec items = REC_INIT;     /* of the list that is read */

/* The document's title is in no path. */
static void
heading(struct blocks *b, const struct buf *line, uint32_t page, unsigned level)
{
	bool title = !b->title.len && (b->known ? page <= 2 && heading_same(b->known, b->known_len, line->p, line->len) :
	    !b->headed && page <= 1 && level == 1 && heading_is_title(line->p, line->len));
	size_t from = piece_begin(b);

	b->headed = true;
	if (title) {
		buf_add(&b->title, line->p, line->len);
	} else {
		heading_enter(&b->under, line->p, line->len, level);
		b->path = (uint32_t)b->layout.paths.len;
		heading_path(&b->layout.paths, &b->under);
		b->path_len = (uint32_t)(b->layout.paths.len - b->path);
	}
	buf_add(&b->text, line->p, line->len);
	piece_end(b, from, page, LAYOUT_HEADING, 0);
}

/* The line goes on the paragraph that is open. */
static bool
goes_on(const struct blocks *b, const struct buf *line, uint32_t page)
{
	const struct layout_piece *last;

	if (!b->open || !b->layout.n || !tidy_small(line->p, line->len))
		return false;
	last = &b->layout.p[b->layout.n - 1];
	return page == last->page || page == last->page + 1;
}

/* A piece of its own where the page is another: so its place is exact. */
static void
go_on(struct blocks *b, const struct buf *line, uint32_t page)
{
	struct layout_piece *last = &b->layout.p[b->layout.n - 1];
	size_t cut = tidy_hyphen(b->text.p + last->at, last->len);

	if (cut) {
		last->len = (uint32_t)cut;
		b->text.len = last->at + cut;
	} else {
		buf_addc(&b->text, ' ');
	}
	if (page == last->page) {
		buf_add(&b->text, line->p, line->len);
		last->len = (uint32_t)(b->text.len - last->at);
	} else {
		size_t from = b->text.len;

		buf_add(&b->text, line->p, line->len);
		piece_end(b, from, page, LAYOUT_TEXT, 0);
	}
	b->open = !tidy_ended(line->p, line->len);
}

static void
paragraph(struct blocks *b, const struct buf *line, uint32_t page, bool ends)
{
	size_t from = piece_begin(b);

	buf_add(&b->text, line->p, line->len);
	piece_end(b, from, page, LAYOUT_TEXT, 0);
	b->open = !ends && b->text.len > from && !tidy_ended(line->p, line->len);
}

static void put(struct blocks *b, const struct rec *item, uint32_t page);

static uint32_t
page_of(const struct blocks *b, const struct rec *item)
{
	uint64_t n;

	if (rec_u64(rec_get(item, "page_idx"), &n) < 0)
		return b->pages ? b->pages : 1;
	return n < PAGES ? (uint32_t)n + 1 : PAGES;
}

/* The open paragraph ends; what stood amid it follows. */
static void
close_paragraph(struct blocks *b)
{
	static struct rec item = REC_INIT;
	size_t n = b->waiting_n;

	b->open = false;
	b->waiting_n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct rec_member *m = &items.m[b->waiting[i]];

		if (rec_parse(&item, m->val, m->val_len) == REC_OK)
			put(b, &item, page_of(b, &item));
	}
}

static void
put_text(struct blocks *b, const struct rec *item, uint32_t page, bool ends)
{
	static struct buf raw, line;
	uint64_t level = 0;

	raw.len = line.len = 0;
	if (rec_str(rec_get(item, "text"), &raw) == 0)
		tidy_line(&line, buf_str(&raw), raw.len);
	if (!line.len)
		return;
	rec_u64(rec_get(item, "text_level"), &level);
	if (tidy_leads(line.p, line.len))
		level = 0;
	if (!level && !ends && goes_on(b, &line, page)) {
		go_on(b, &line, page);
		if (!b->open)
			close_paragraph(b);
		return;
	}
	/* What waited may use line again: a note is text, too. */
	if (b->open) {
		struct buf mine = line;

		line = (struct buf)BUF_INIT;
		close_paragraph(b);
		buf_free(&line);
		line = mine;
	}
	if (level)
		heading(b, &line, page, level < LEVELS ? (unsigned)level : LEVELS);
	else
		paragraph(b, &line, page, ends);
}

/* A block that doesn't wait. */
static void
put(struct blocks *b, const struct rec *item, uint32_t page)
{
	switch (what_of(item)) {
	case WHAT_TEXT: put_text(b, item, page, !rec_is(rec_get(item, "type"), "text")); break;
	case WHAT_NOTE: put_text(b, item, page, true); break;
	case WHAT_LIST: piece_list(b, item, page); break;
	case WHAT_TABLE: piece_table(b, item, page); break;
	case WHAT_FIGURE: piece_figure(b, item, page); break;
	case WHAT_CODE: piece_code(b, item, page); break;
	case WHAT_NOT: break;
	}
}

static void
take(struct blocks *b, size_t i, const struct rec *item)
{
	enum what what = what_of(item);
	uint32_t page = page_of(b, item);

	if (what == WHAT_NOT)
		return;
	if (page > b->pages)
		b->pages = page;
	if (b->open && b->waiting_n < WAITING && (what == WHAT_TABLE || what == WHAT_FIGURE || what == WHAT_NOTE)) {
		b->waiting[b->waiting_n++] = i;
		return;
	}
	if (b->open && what != WHAT_TEXT)
		close_paragraph(b);
	put(b, item, page);
}

int
blocks_read(struct blocks *b, const char *json, size_t len, const char *known, size_t known_len)
{
	static struct rec item = REC_INIT;
	enum rec_status st = rec_items(&items, json, len);

	b->text.len = b->title.len = b->layout.n = b->layout.paths.len = b->waiting_n = 0;
	b->pages = b->path = b->path_len = 0;
	b->told = 0;
	b->open = b->headed = false;
	b->known = known;
	b->known_len = known_len;
	heading_reset(&b->under);
	if (st != REC_OK) {
		snprintf(b->why, sizeof(b->why), "the list of blocks: %s at byte %zu", rec_reason(st), items.at);
		return -1;
	}
	for (size_t i = 0; i < items.n; i++) {
		const struct rec_member *m = &items.m[i];

		if (m->type != '{' || (st = rec_parse(&item, m->val, m->val_len)) != REC_OK) {
			snprintf(b->why, sizeof(b->why), "block %zu: %s", i, m->type == '{' ? rec_reason(st) : "no object");
			return -1;
		}
		if (b->text.len > UINT32_MAX / 8 || b->told > LAYOUT_MAX) {
			snprintf(b->why, sizeof(b->why), "over %u bytes of text, or over %d of headings told with each block",
			    UINT32_MAX / 8, LAYOUT_MAX);
			return -1;
		}
		take(b, i, &item);
	}
	close_paragraph(b);
	return 0;
}

void
blocks_free(struct blocks *b)
{
	buf_free(&b->text);
	buf_free(&b->title);
	layout_free(&b->layout);
	for (size_t i = 0; i < HEADING_DEPTH; i++)
		buf_free(&b->under.l[i].text);
	*b = (struct blocks)BLOCKS_INIT;
}
