/* fill.h - the API's JSON read without fear, and put into HTML. Internal to lib/page.
 *
 * A struct rec that reads nothing (the text was no object, the member is not
 * there or of another kind) is empty: all that is asked of it is not there either.
 */
#ifndef PAGE_FILL_H
#define PAGE_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "page.h"
#include "rec.h"

/* r is reused; what it held before is gone. False: it is empty now. */
bool fill_rec(struct rec *r, struct page_text text);
bool fill_in(struct rec *r, const struct rec *from, const char *name);          /* the member, an object */
bool fill_list(struct rec *r, const struct rec *from, const char *name);        /* the member, an array */
bool fill_item(struct rec *r, const struct rec *list, size_t i);                /* an element, an object */

/* There, and neither null nor "". */
bool fill_has(const struct rec *r, const char *name);
/* none: when there is no number that is one. */
double fill_num(const struct rec *r, const char *name, double none);
double fill_num_of(const struct rec_member *m, double none);
int64_t fill_time(const struct rec *r, const char *name);       /* or WHEN_NONE */

/* Appends text with the members that it names put in, strings as what they
 * mean and all else as its JSON: {name} escaped, at most 200 characters of it,
 * {name:N} at most N, {%name} percent-encoded. What is not there is "". A name is of [a-z0-9_]. */
void fill(struct buf *out, const struct rec *r, const char *text);
/* One value so, at most max characters of it; NULL is "". */
void fill_value(struct buf *out, const struct rec_member *m, size_t max);

/* 1234567 as 1,234,567; what is no whole number with two digits behind the point. */
void fill_count(struct buf *out, double v);

#endif
