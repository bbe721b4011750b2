/* bbox.h - reads what pdftotext -bbox -raw prints, as it comes, in pieces of any
 * size: words with their boxes, in the order in which the file draws them, which
 * are made into lines. It is not XML, whatever it says: control bytes stand in it.
 * What is no tag of its kind is skipped; nothing in it is trusted.
 */
#ifndef PDF_BBOX_H
#define PDF_BBOX_H

#include "mem.h"
#include "pdf/page.h"

enum { BBOX_SIZES = 8 };

struct bbox {
	struct pdf_doc *doc;
	size_t text_max;        /* bytes of all text */
	size_t dropped;         /* of them, those that were printed twice */
	struct buf carry;       /* a tag or text that is not whole yet */
	int state;
	float word[4], last[4];
	size_t most, chars, upright, turned;    /* of the line at hand */
	float width;
	float drift;            /* of the page's turned words, from one to the next: below 0 they run upwards */
	struct { float h; size_t chars; } size[BBOX_SIZES];
	int nsizes;
	bool in_line;
};
#define BBOX_INIT { .doc = NULL }

void bbox_begin(struct bbox *b, struct pdf_doc *doc, size_t text_max);
/* 0, or -1 with errno: EFBIG over text_max or over the limits of page.h, EBADMSG
 * a tag without end, a page in a page. */
int bbox_feed(struct bbox *b, const char *p, size_t len);
/* At the end. 0, or -1 with EBADMSG: it ends inside a page. */
int bbox_end(struct bbox *b);

/* line.c: the next word, whose box is b->word, and the end of a line and of a page. bbox.c's
 * reader calls them. -1 with errno EFBIG. */
int bbox_word(struct bbox *b, const char *p, size_t len);
void bbox_line_end(struct bbox *b);
/* Turns a page most of whose text runs upwards or downwards, so that it can be read. */
void bbox_page_end(struct bbox *b);
void bbox_unescape(struct buf *out, const char *p, size_t len);

#endif
