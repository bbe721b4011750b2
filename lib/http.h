/* http.h - the HTTP client for one request at a time; http* are the modules that
 * know libcurl. Many at a time: fetch.h.
 *
 * It is guarded: http and https only; the address that a connection really
 * goes to is checked when its socket is made (cidr.h), for each redirect and
 * each name the resolver gives, so neither a redirect nor a name that changes
 * its mind reaches a private address; redirects, size (after decompression)
 * and time are limited; the environment's proxies, cookies and netrc are not
 * used. Connections are kept between calls. Not thread-safe per object.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

struct http;

struct http_opts {
	const char *allow;      /* networks allowed besides public ones; may be NULL */
	size_t max;             /* bytes of a body; 0: 16 MiB */
	unsigned long connect_ms;       /* 0: 10000 */
	unsigned long total_ms; /* 0: 60000 */
	unsigned redirects;     /* 0: 5 */
	const char *agent;      /* User-Agent; NULL: "sluice" */
};

struct http_result {
	long status;            /* 0 when there was no answer */
	struct buf body;        /* owned; emptied by each call */
	char type[256];         /* Content-Type as it was sent, or "" */
	char url[2048];         /* where the body came from, after redirects */
	/* Where it failed: a code ("bad_url", "url_refused", "too_large",
	 * "too_many_redirects", "fetch_timeout", "fetch_failed", "http_status"),
	 * a sentence, and whether to try again, after_ms from now (0: any time). */
	const char *code;
	char message[512];
	bool retry;
	unsigned long after_ms;
	bool forget;            /* set by fetch.h's done: not worth keeping in a cache */
};
#define HTTP_RESULT_INIT { 0, BUF_INIT, "", "", NULL, "", false, 0, false }

/* NULL with errno: EINVAL when opts->allow is no list of networks, ENOMEM when
 * libcurl cannot start. */
struct http *http_open(const struct http_opts *opts);
void http_free(struct http *h);

/* GET. 0 with a status of 200-299, or -1 with the reason in *r. */
int http_get(struct http *h, const char *url, struct http_result *r);

/* For who answers in a server's place (fetch.c). Returns -1. */
int http_fail(struct http_result *r, const char *code, bool retry, const char *why);

#endif
