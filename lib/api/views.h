/* views.h - what pages.c, views.c and view_lists.c share. */
#ifndef VIEWS_H
#define VIEWS_H

#include "api/lists.h"
#include "page/page.h"

/* A page for c, into c->out. */
struct page page_begin(struct call *c);
void page_end(struct call *c, unsigned status);

/* Texts of a result, copied. */
struct rows {
	struct buf bytes;
	struct page_text *row;
	size_t n;
};

struct view {
	struct rows a, b;
	struct buf text;
	struct list list;
};
/* c->state, made at the first call, freed with c. */
struct view *view_state(struct call *c);
/* Copies column col of all rows; the text of row 0. */
void view_keep(struct rows *r, const struct pg *db, int col);
void view_keep_text(struct buf *b, const struct pg *db);
/* True when the rows are there; otherwise it was answered. */
bool view_good(struct call *c, enum pg_status st, struct pg *db);

#endif
