/* doi.h - a DOI in its one form: lower case, without "doi:", "https://doi.org/"
 * and white space around it. DOIs compare without regard to (ASCII) case. */
#ifndef DOI_H
#define DOI_H

#include <stddef.h>

#include "mem.h"

enum { DOI_MAX = 2048 };

/* Appends the DOI that p is, in whichever of its forms. 0; -1 when it is none, or
 * has white space or control bytes in it or more than DOI_MAX bytes. */
int doi_normal(struct buf *out, const char *p, size_t len);

#endif
