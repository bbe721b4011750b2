/* site.c - what browsers do for other sites' pages, and must not. */
#include "api/site.h"

#include <string.h>

/* Another site's page may make a browser send our cookie, or reach an open server on
 * its own machine: what changes something must come from our own pages. */
bool
site_same(const struct call *c, bool must_say)
{
	const char *site = web_header(c->r, "Sec-Fetch-Site"), *origin = web_header(c->r, "Origin");
	const char *host = web_header(c->r, "Host");

	if (site)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	if (!origin)
		return !must_say;
	origin = strstr(origin, "://");
	return origin && host && strcmp(origin + 3, host) == 0;
}

bool
site_changes(const struct call *c)
{
	return strcmp(c->route->method, "GET") != 0;
}

/* A name that somebody else's DNS points at us is not us. */
static bool
host_is_local(const struct call *c)
{
	const char *host = web_header(c->r, "Host");
	size_t n = host ? strcspn(host, host[0] == '[' ? "]" : ":") : 0;

	return host && ((n == 9 && strncmp(host, "localhost", n) == 0) || strncmp(host, "[::1]", 5) == 0 ||
	    (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n));
}

bool
site_open(const struct call *c)
{
	return api.open && c->r->loopback && host_is_local(c) && !web_header(c->r, "X-Forwarded-For") &&
	    !web_header(c->r, "Forwarded");
}

const char *
site_cookie(const struct call *c)
{
	const char *p = web_header(c->r, "Cookie");

	while (p && strncmp(p, "sluice=", 7) != 0) {
		p = strchr(p, ';');
		if (p)
			p += 1 + strspn(p + 1, " ");
	}
	return p ? p + 7 : NULL;
}
