/* parts.h - what the overview shares with pages of their own. Internal to lib/page. */
#ifndef PAGE_PARTS_H
#define PAGE_PARTS_H

#include "page.h"

/* Each pipeline: its stages in order with what is in each. Of more than most of them (0: any number) so many
 * that have jobs, and how many more there are. */
void parts_flows(const struct page *p, const struct page_text *rows, size_t n, size_t most);
/* How many workers are in which state, and those that are not well. */
void parts_health(const struct page *p, const struct page_text *rows, size_t n);

#endif
