/* kinds.h - the parts of kinds.c. Not for others. */
#ifndef PDF_KINDS_H
#define PDF_KINDS_H

#include "pdf/page.h"

/* heading.c. Level of paragraph i as a heading, as far as its words say it; 0: it
 * is none. front: no running text has been there yet; title_h: the title's height. */
unsigned kinds_heading(const struct pdf_doc *d, size_t i, bool front, float title_h);
/* Height of the title: of the largest text on the first page. */
float kinds_title(const struct pdf_doc *d);
/* "1", "2.3", "4.", "A.1", "Chapter 5": depth of the number, 0 if none; *end is behind it. */
unsigned kinds_numbered(const char *p, size_t len, size_t *end);
/* "Figure 3: ...", "Table 1. ..." */
bool kinds_labelled(const char *p, size_t len);
/* Several lines of running text. */
bool kinds_prose(const struct pdf_para *p);

/* levels.c. Levels of the headings: a number says it, else the size, compared with
 * those of the numbered ones. */
void pdf_levels(struct pdf_doc *d, float title_h);

#endif
