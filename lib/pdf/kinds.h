/* kinds.h - the parts of kinds.c. Not for others. */
#ifndef PDF_KINDS_H
#define PDF_KINDS_H

#include "pdf/page.h"

typedef unsigned pdf_numbered(const char *p, size_t len, size_t *end);

/* Levels of the headings: a number says it, else the size, compared with those of
 * the numbered ones; title_h: the height of the title. */
void pdf_levels(struct pdf_doc *d, float title_h, pdf_numbered *numbered);

#endif
