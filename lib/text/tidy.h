/* tidy.h - strings that a parser took off a page, as text to be read and searched.
 * Input and output are UTF-8. Functions never print.
 */
#ifndef TIDY_H
#define TIDY_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* Appends p as one line: white space of any kind and length becomes one space,
 * none at the edges; controls, soft hyphens and other characters without width
 * go; ligatures (U+FB00 to U+FB06) become their letters, five dots and more U+2026. */
void tidy_line(struct buf *out, const char *p, size_t len);
/* The same for lines that have to stay, with the white space in them: code. Empty lines go,
 * and white space at the edges of the whole. */
void tidy_lines(struct buf *out, const char *p, size_t len);

/* Whether a paragraph that ends like p is finished: with a full stop or its kin,
 * closing quotes and brackets aside. */
bool tidy_ended(const char *p, size_t len);
/* Whether p begins with a small letter (Latin, Greek, Cyrillic). */
bool tidy_small(const char *p, size_t len);
/* Whether p ends in a letter and a hyphen: its length without that, else 0. */
size_t tidy_hyphen(const char *p, size_t len);
/* Whether a line leads to a page by its number, as in a table of contents. */
bool tidy_leads(const char *p, size_t len);
/* At most max bytes of p, whole characters. */
size_t tidy_cut(const char *p, size_t len, size_t max);

#endif
