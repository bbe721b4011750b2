/* views.h - what pages.c and views.c share. */
#ifndef VIEWS_H
#define VIEWS_H

#include "api/api.h"
#include "page/page.h"

/* A page for c, into c->out. */
struct page page_begin(struct call *c);
void page_end(struct call *c, unsigned status);

#endif
