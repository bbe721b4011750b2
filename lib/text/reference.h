/* reference.h - HTML's character references: &amp; &#228; &#xE4;. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stddef.h>

#include "mem.h"

/* p is at "&". Appends what the reference means, as UTF-8, and returns where it
 * ends, or NULL: it is only an ampersand. A soft hyphen is dropped. */
const char *reference_put(struct buf *out, const char *p, const char *end);

/* The code point of a named reference, 0 if there is none. bare: only those
 * that need no semicolon. */
unsigned reference_entity(const char *name, size_t len, int bare);

#endif
