#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http_int.h"

enum { A_DAY_S = 24 * 3600 };

void
http_header(CURL *c, const char *name, char *out, size_t size)
{
	struct curl_header *h;

	if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && strlen(h->value) < size)
		snprintf(out, size, "%s", h->value);
}

/* All headers of this name as one list; too_long where that has no room. */
static void
list(CURL *c, const char *name, char *out, size_t size, const char *too_long)
{
	struct curl_header *h;
	size_t len = 0;

	for (size_t i = 0; curl_easy_header(c, name, i, CURLH_HEADER, -1, &h) == CURLHE_OK; i++) {
		size_t more = strlen(h->value) + 2;

		if (len + more >= size) {
			snprintf(out, size, "%s", too_long);
			return;
		}
		len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", h->value);
	}
}

/* CORE's name for Retry-After. */
static void
another_name(CURL *c, struct http_result *r)
{
	char text[64] = "", *end;
	long s;

	http_header(c, "X-RateLimit-Retry-After", text, sizeof text);
	s = strtol(text, &end, 10);
	if (*end) {
		int64_t at = http_date(text), now = (int64_t)time(NULL);

		s = at > now && at - now < A_DAY_S ? (long)(at - now) : 0;
	}
	if (s > 0 && s <= A_DAY_S)
		r->after_ms = (unsigned long)s * 1000;
}

void
http_headers(CURL *c, struct http_transfer *t)
{
	const char *next = NULL;
	char age[32] = "";

	if (curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &next) == CURLE_OK && next && strlen(next) < sizeof t->next)
		snprintf(t->next, sizeof t->next, "%s", next);
	http_header(c, "ETag", t->etag, sizeof t->etag);
	http_header(c, "Last-Modified", t->modified, sizeof t->modified);
	http_header(c, "Expires", t->expires, sizeof t->expires);
	http_header(c, "Age", age, sizeof age);
	t->age_s = strtoll(age, NULL, 10);
	list(c, "Cache-Control", t->control, sizeof t->control, "no-store");
	list(c, "Vary", t->vary, sizeof t->vary, "*");
	if (t->r->status == 429 && !t->r->after_ms)
		another_name(c, t->r);
}
