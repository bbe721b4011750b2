/* cut.h - a text cut into chunks along its layout: plan.h's, but that a section begins a
 * chunk where the one before is at least a quarter full, and that a table is a chunk by itself.
 * A table over the limit is cut between rows, its caption and header told again
 * before each part. Without a layout it is plan_text.
 */
#ifndef CUT_H
#define CUT_H

#include "text/layout.h"
#include "text/plan.h"

/* As plan_text. */
int cut_text(const struct vocab *v, const char *text, size_t len, const struct layout *l, unsigned limit,
    unsigned overlap, struct plan *out);

#endif
