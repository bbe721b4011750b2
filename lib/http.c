#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_int.h"

struct http {
	struct http_call k;
	struct cidr_list allow;
};

struct http *
http_open(const struct http_opts *o)
{
	struct http *h = mem_zalloc(sizeof *h);
	CURLcode e;

	if (o->allow && cidr_parse(&h->allow, o->allow) < 0) {
		http_free(h);
		errno = EINVAL;
		return NULL;
	}
	h->k.allow = &h->allow;
	h->k.max = o->max ? o->max : (size_t)16 << 20;
	if (http_curl() < 0 || !(h->k.c = curl_easy_init())) {
		http_free(h);
		errno = ENOMEM;
		return NULL;
	}
	e = http_guard(&h->k, o->connect_ms ? o->connect_ms : 10000, o->total_ms ? o->total_ms : 60000,
	    o->agent ? o->agent : "sluice");
	if (!e)
		e = curl_easy_setopt(h->k.c, CURLOPT_FOLLOWLOCATION, 1L);
	if (!e)
		e = curl_easy_setopt(h->k.c, CURLOPT_MAXREDIRS, (long)(o->redirects ? o->redirects : 5));
	if (e == CURLE_OK)
		return h;
	http_free(h);
	errno = ENOMEM;
	return NULL;
}

void
http_free(struct http *h)
{
	if (!h)
		return;
	if (h->k.c)
		curl_easy_cleanup(h->k.c);
	cidr_free(&h->allow);
	free(h);
}

int
http_get(struct http *h, const char *url, struct http_result *r)
{
	const char *at = NULL;
	CURLcode e;

	h->k.r = r;
	http_begin(&h->k);
	if ((e = curl_easy_setopt(h->k.c, CURLOPT_URL, url)) == CURLE_OK)
		e = curl_easy_perform(h->k.c);
	if (curl_easy_getinfo(h->k.c, CURLINFO_EFFECTIVE_URL, &at) == CURLE_OK && at)
		snprintf(r->url, sizeof r->url, "%s", at);
	return http_judge(&h->k, e);
}
