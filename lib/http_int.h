/* http_int.h - what lib/http*.c share: one guarded handle of libcurl, and how
 * its end is judged. Internal to lib/http*. */
#ifndef HTTP_INT_H
#define HTTP_INT_H

#include <curl/curl.h>

#include "cidr.h"
#include "http_multi.h"

/* One transfer. What is borrowed outlives it. */
struct http_call {
	CURL *c;
	const struct cidr_list *allow;
	struct http_result *r;
	size_t max, got;
	int (*sink)(void *ctx, const void *p, size_t len);      /* of a 2xx body; NULL: r->body */
	void *ctx;
	bool refused, over, sunk;
	long allowed_at;        /* after so many redirects an address was allowed last; -1: none was */
	char error[CURL_ERROR_SIZE];
};

/* libcurl with our allocator, as often as wanted. 0, or -1 with ENOMEM. */
int http_curl(void);
/* Everything of k->c that guards: called once for a handle, or after a reset.
 * Redirects are not followed until the caller says so. */
CURLcode http_guard(struct http_call *k, unsigned long connect_ms, unsigned long total_ms, const char *agent);
/* Empties *k's result and what the last transfer left. */
void http_begin(struct http_call *k);
/* What the headers of the last answer say, into *t. */
void http_headers(CURL *c, struct http_transfer *t);
/* Names a transfer that libcurl gave up, or its status. 0: it is 200-299; -1. */
int http_judge(struct http_call *k, CURLcode e);
/* A header of the answer; out stays as it is where there is none, or it is longer. */
void http_header(CURL *c, const char *name, char *out, size_t size);

#endif
