/* filter.h - the filters of the list of jobs, as a form and as addresses. Internal to lib/page. */
#ifndef PAGE_FILTER_H
#define PAGE_FILTER_H

#include <stdbool.h>

#include "page.h"

/* The field that leads to a job by its id, id in it (NULL: nothing). message: the id of what says what is
 * wrong with that, or NULL. */
void filter_find(const struct page *p, const char *id, const char *message);
void filter_form(const struct page *p, const struct page_filter *f);
/* The list with these filters, from cursor on (NULL: from its beginning). */
void filter_link(const struct page *p, const struct page_filter *f, const char *cursor);
/* A choice among names that the server knows, ending with NULL; what was asked for and is none of them stays visible. */
void filter_choice(struct buf *out, const char *name, const char *label, const char *const *names, const char *chosen);
/* True when it leaves any job out. */
bool filter_any(const struct page *p, const struct page_filter *f);

#endif
