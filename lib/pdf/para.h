/* para.h - the parts of para.c: blocks of lines and where a paragraph ends. Not for others. */
#ifndef PDF_PARA_H
#define PDF_PARA_H

#include "pdf/page.h"

/* Lines that the file draws one below the other. */
struct para_block {
	float left, right, h;
	float edge;             /* where its lines could have ended */
	float pitch;            /* usual distance of its lines; 0: only one */
	size_t lines, markers;  /* of them, those that begin as list items do */
	bool verbatim;          /* lines end where their writer ended them */
	bool hanging;           /* all but a paragraph's first line are indented */
	bool centred;
};

/* l[0..n): the lines of one block; near: some lines of the page around it. */
void para_block(struct para_block *b, const struct pdf_doc *d, const struct pdf_line *const *l, size_t n,
    const struct pdf_line *near, size_t nnear);

/* The one is set in a larger size than the other. */
bool para_resized(const struct pdf_line *a, const struct pdf_line *b);

/* A paragraph begins with cur, which follows prev in the same block. */
bool para_breaks(const struct para_block *b, const struct pdf_doc *d, const struct pdf_line *prev,
    const struct pdf_line *cur);
/* The same where cur is the first of the next block, b, and prev the last of was. */
bool para_ends(const struct para_block *was, const struct para_block *b, const struct pdf_doc *d,
    const struct pdf_line *prev, const struct pdf_line *cur);

/* Appends the lines as one text to d->made. */
void para_join(struct pdf_doc *d, const struct pdf_line *const *l, size_t n, bool verbatim);

#endif
