/* page.h - what poppler said of a PDF's pages, on its way to blocks: lines of
 * words with their boxes, in the order in which the file draws them. Internal to lib/pdf;
 * others use engine.h.
 *
 * Boxes are in points, y grows downwards. Text is UTF-8 where poppler's is; what
 * is not is mended when it is quoted. A pdf_doc serves one document after the other.
 */
#ifndef PDF_PAGE_H
#define PDF_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum {
	PDF_PAGES_MAX = 20000,
	PDF_LINES_MAX = 1 << 21,
	PDF_COMPOUNDS = 1 << 14
};

enum pdf_role {
	PDF_BODY,
	PDF_HEADER, PDF_FOOTER, PDF_NUMBER,     /* the page's furniture */
	PDF_ASIDE,                              /* text that does not run from left to right */
	PDF_CELL,                               /* of a table */
	PDF_GONE                                /* it is a part of the line before it now */
};

struct pdf_line {
	float x0, y0, x1, y1;   /* around all its words */
	float base, h;          /* lower edge and height of most of its words */
	float first_w;          /* width of its first word */
	float char_w;           /* usual width of a character */
	uint32_t at, len;       /* in pdf_doc.text */
	uint32_t block;         /* lines drawn one below the other have one number */
	uint16_t table;         /* of PDF_CELL: which of the page's tables */
	uint8_t role;
};

struct pdf_page {
	float w, h;
	uint32_t line, n;       /* its lines are pdf_doc.lines[line..line + n) */
};

/* What comes out, in reading order. */
enum pdf_kind {
	PDF_TEXT, PDF_HEADING, PDF_ITEM, PDF_TABLE, PDF_FOOTNOTE, PDF_FURNITURE
};

struct pdf_para {
	float x0, y0, x1, y1, h, char_w;
	float above;            /* white space to what is above in the column; a page's first: large */
	size_t at, len;         /* in pdf_doc.made: text, or a table's HTML */
	size_t cap, cap_len;    /* a table's caption, there too */
	uint32_t page, lines;
	uint8_t kind, role, level;
	bool verbatim;          /* its line ends are its own */
};

struct pdf_paras {
	struct pdf_para *p;     /* owned */
	size_t n, cap;
};

struct pdf_doc {
	struct buf text, made, title;
	struct pdf_line *lines;
	struct pdf_page *pages;
	size_t nlines, lines_cap, npages, pages_cap;
	struct pdf_paras paras;
	struct pdf_paras tables;        /* of the page at hand */
	uint64_t *compounds;    /* hashes of words such as well-known, 0: free */
	size_t ncompounds;
	float body, body_w;     /* height of most of the text, width of its characters */
};

void pdf_doc_reset(struct pdf_doc *d);
void pdf_doc_release(struct pdf_doc *d);

/* The steps, in this order, once all pages are there. */
void pdf_marks(struct pdf_doc *d);                      /* roles of furniture, body height */
void pdf_page_paras(struct pdf_doc *d, size_t page);    /* tables and paragraphs of a page */
void pdf_kinds(struct pdf_doc *d);                      /* headings, lists, footnotes, captions */
void pdf_write(struct buf *out, const struct pdf_doc *d);       /* JSON */

/* Puts the lines of a page that draws its columns row by row, or in no order at
 * all, into reading order; any other page stays as it is. */
void pdf_order(struct pdf_doc *d, size_t page);

/* Fills d->tables with those of a page; their lines become PDF_CELL. */
void pdf_tables(struct pdf_doc *d, size_t page);

/* A new para, zeroed, its text yet to be added to d->made. Borrowed until the next call. */
struct pdf_para *pdf_para_new(struct pdf_doc *d, struct pdf_paras *to, size_t page, enum pdf_kind kind);
/* Widens p's box by l's. */
void pdf_para_box(struct pdf_para *p, const struct pdf_line *l);

/* Length of the list marker and the white space after it that a line begins with, or 0. */
size_t pdf_marker(const char *p, size_t len);
/* True for words such as well-known that the document has inside a line. */
bool pdf_compound(const struct pdf_doc *d, const char *p, size_t len);
void pdf_compound_add(struct pdf_doc *d, const char *p, size_t len);

static inline const char *
pdf_text(const struct pdf_doc *d, const struct pdf_line *l)
{
	return d->text.p + l->at;
}

static inline bool
pdf_same_row(const struct pdf_line *a, const struct pdf_line *b)
{
	float h = a->h > b->h ? a->h : b->h, dy = a->base - b->base;

	return dy < h * 0.3f && dy > h * -0.3f;
}

#endif
