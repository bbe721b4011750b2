/* site.c - what browsers do for other sites' pages, and must not. */
#include "api/site.h"

#include <string.h>

#include "api/parse.h"

/* Another site's page may make a browser send our cookie, or reach an open server on
 * its own machine: what changes something must come from our own pages. */
bool
site_same(const struct call *c, bool must_say)
{
	const char *site = web_header(c->r, "Sec-Fetch-Site"), *origin = web_header(c->r, "Origin");

	if (site)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	return origin ? parse_same_origin(origin, web_header(c->r, "Host")) : !must_say;
}

bool
site_changes(const struct call *c)
{
	return strcmp(c->route->method, "GET") != 0;
}

bool
site_open(const struct web_req *r)
{
	static const char *const proxies[] = { "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via", NULL };

	if (!api.open || !r->loopback || !parse_local_host(web_header(r, "Host")))
		return false;
	for (const char *const *name = proxies; *name; name++)
		if (web_header(r, *name))
			return false;
	return true;
}

const char *
site_cookie(const struct web_req *r, size_t *len)
{
	return parse_cookie(web_header(r, "Cookie"), "sluice", len);
}
