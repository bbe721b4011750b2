/* layout.h - where in a text its headings, paragraphs, lists and tables lie, on
 * which page, in which section: the member "layout" of docs/stream.7.
 *
 * Pieces are in order and don't overlap; what is between them is white space.
 * Functions return a status and never print.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum layout_kind { LAYOUT_TEXT, LAYOUT_HEADING, LAYOUT_TABLE, LAYOUT_LIST };

struct layout_piece {
	uint32_t at, len;       /* bytes in the text; len is not 0 */
	uint32_t page;          /* from 1; 0: unknown */
	uint32_t head;          /* of a table: so many bytes at its beginning, its caption and header
	                         * rows with the line end, are repeated where it is cut */
	uint32_t path, path_len;        /* in paths: a JSON array of the headings that it is under */
	uint32_t kind;          /* enum layout_kind */
};

struct layout {
	struct layout_piece *p; /* owned */
	size_t n, cap;
	struct buf paths;
};
#define LAYOUT_INIT { NULL, 0, 0, BUF_INIT }

/* "text", "heading", "table", "list". */
const char *layout_kind(uint32_t kind);

/* Adds a piece. */
void layout_add(struct layout *l, const struct layout_piece *p);
/* Appends l as a JSON array. */
void layout_json(struct buf *out, const struct layout *l);
/* Fills l anew from such an array for a text of text_len bytes. 0, or -1: it is
 * none, or not in order, or lies outside the text. */
int layout_parse(struct layout *l, const char *json, size_t len, size_t text_len);
/* The first piece that ends behind byte at; n: none does. */
size_t layout_find(const struct layout *l, size_t at);
/* Bytes of the longest path. */
size_t layout_longest(const struct layout *l);
void layout_free(struct layout *l);

#endif
