/* filter.h - the filters of the list of jobs, as a form and as addresses. Internal to lib/page. */
#ifndef PAGE_FILTER_H
#define PAGE_FILTER_H

#include <stdbool.h>

#include "page.h"

void filter_form(const struct page *p, const struct page_filter *f);
/* The list with these filters, from cursor on (NULL: from its beginning). */
void filter_link(const struct page *p, const struct page_filter *f, const char *cursor);
/* True when it leaves any job out. */
bool filter_any(const struct page *p, const struct page_filter *f);

#endif
