/* canon.h - one form for requests that mean the same: members sorted by their
 * unescaped names at every depth, no white space, strings escaped one way,
 * number lexemes as they are (1.0 is not 1: which it was is part of what was
 * asked). Digests of it decide what is "the same request". Not thread-safe. */
#ifndef CANON_H
#define CANON_H

#include "mem.h"
#include "rec.h"

/* Appends r in canonical form without the top-level members named in skip
 * (NULL-terminated). r was parsed with REC_OK. */
void canon_text(struct buf *out, const struct rec *r, const char *const *skip);

/* sha256 of that. */
void canon_digest(const struct rec *r, const char *const *skip, unsigned char digest[32]);

#endif
