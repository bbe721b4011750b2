/* site.h - cookies, and where a request comes from. */
#ifndef SITE_H
#define SITE_H

#include "api/api.h"

/* It comes from a page of our own, or from no page. must_say: what does not say so does not. */
bool site_same(const struct call *c, bool must_say);
/* The route changes something. */
bool site_changes(const struct call *c);
/* The client is on this machine, knows us by a name of it, and may do without a token. */
bool site_open(const struct web_req *r);
/* The token in the cookie; NULL: none. */
const char *site_cookie(const struct web_req *r, size_t *len);

#endif
