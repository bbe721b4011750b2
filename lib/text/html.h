/* html.h - HTML to plain text, the way a reader would see it.
 *
 * Tolerant like a browser and linear in the input, whatever it is. Scripts,
 * styles and the other contents that nobody reads are dropped; blocks become
 * lines or paragraphs (a blank line), table cells are separated by a tab, list
 * items begin with "- ", <pre> keeps its white space, elsewhere white space is
 * folded. Input is UTF-8 (charset.h); output is UTF-8 where the input is.
 * Functions never print.
 */
#ifndef HTML_H
#define HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* Appends the text of p to out, and the first <title>'s to title. */
void html_text(struct buf *out, struct buf *title, const char *p, size_t len);

/* True when the bytes begin as an HTML document does. */
bool html_sniff(const char *p, size_t len);

/* The charset that a <meta> among the first bytes names: a label inside p, or
 * NULL. */
const char *html_charset(const char *p, size_t len, size_t *label_len);

/* Appends the content of the first <meta> of this name or property (in any case),
 * without the white space around it. False: there is none. */
bool html_meta(struct buf *out, const char *p, size_t len, const char *name);

#endif
