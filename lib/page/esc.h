/* esc.h - text that others wrote, on its way into HTML. Internal to lib/page.
 *
 * What comes out is valid UTF-8 without control bytes: broken sequences and
 * the marks that turn the direction of what follows become U+FFFD, C0 controls
 * their pictures (U+2400 on). It is safe between tags and in quoted attributes.
 */
#ifndef PAGE_ESC_H
#define PAGE_ESC_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* At most max characters of p, then an ellipsis if there are more. */
void esc_html(struct buf *out, const char *p, size_t len, size_t max);
/* Whether a reader of what comes out gets the very bytes of p back. */
bool esc_same(const char *p, size_t len);
/* NUL-terminated; NULL is "". At most 200 characters. */
void esc_htmls(struct buf *out, const char *s);
/* All of it: what a form's field holds is sent again. */
void esc_whole(struct buf *out, const char *s);
/* Percent-encoded but for A-Z a-z 0-9 - . _ ~ (RFC 3986, 2.3): one segment of a path, or a value in a query. */
void esc_url(struct buf *out, const char *p, size_t len);
void esc_urls(struct buf *out, const char *s);

#endif
