/* markup.h - titles and abstracts as publishers hand them to services: text with
 * tags of JATS, HTML or MathML in it and character references, or without any.
 * Input and output are UTF-8. Functions never print.
 */
#ifndef MARKUP_H
#define MARKUP_H

#include <stddef.h>

#include "mem.h"

/* Appends p as one tidy line (tidy.h): of tags that stand inside words nothing is left,
 * of others a space; references become their characters. What only looks like a tag,
 * as in "a < b" or "p<q and r>s", stays. */
void markup_line(struct buf *out, const char *p, size_t len);

#endif
