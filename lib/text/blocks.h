/* blocks.h - what a parser found on the pages of a document, block by block
 * (MinerU's content list, mineru(1)), as one text with its layout.
 *
 * Running heads, page numbers and marginal text are left out. A paragraph that goes on
 * behind a column's or a page's end is one again; tables, figures and footnotes that
 * stood between follow it. Functions return a status and never print.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "text/heading.h"
#include "text/layout.h"

struct blocks {
	struct buf text;        /* UTF-8 */
	struct layout layout;
	struct buf title;       /* the heading that is the document's title, or empty */
	uint32_t pages;         /* the last page that something stands on */
	char why[120];          /* what is wrong with the list */
	/* while it is read */
	const char *known;      /* the title as others gave it, or NULL */
	size_t known_len;
	struct headings under;
	uint32_t path, path_len;
	size_t told;            /* bytes of the layout in JSON, at least */
	size_t waiting[64], waiting_n;  /* blocks that stand amid an open paragraph */
	bool open;              /* the last piece is a paragraph that may go on */
	bool headed;            /* there was a heading */
};
#define BLOCKS_INIT { .layout = LAYOUT_INIT }

/* Fills b anew from the JSON array in json. known: the document's title if another
 * source gave it (or NULL): only a heading that says the same is taken for it then.
 * 0, or -1 with why. */
int blocks_read(struct blocks *b, const char *json, size_t len, const char *known, size_t known_len);
void blocks_free(struct blocks *b);

#endif
