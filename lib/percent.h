/* percent.h - percent-encoding (RFC 3986). */
#ifndef PERCENT_H
#define PERCENT_H

#include "mem.h"

/* Appends what p means. 0, or -1: a '%' without two digits behind it, a NUL, or bytes that
 * are not UTF-8. */
int percent_decode(struct buf *out, const char *p, size_t len);
/* Appends p with all but letters, digits and -._~ encoded. */
void percent_encode(struct buf *out, const char *p, size_t len);

#endif
