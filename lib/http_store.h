/* http_store.h - requests to an object store of the S3 kind, one at a time, signed by
 * libcurl (AWS Signature Version 4). Guarded like http.h but for one thing: who runs this
 * names the store, no record does, so it may have any address. Nothing is
 * followed anywhere: a redirect is an answer. The secret key is never sent.
 * Connections are kept between calls. Functions never print. Not thread-safe.
 */
#ifndef HTTP_STORE_H
#define HTTP_STORE_H

#include <stdint.h>

#include "http.h"

struct http_store;

struct http_store_opts {
	const char *key, *secret, *region;      /* copied */
	unsigned long stall_s;  /* without progress that ends a request; 0: 30 */
};

struct http_store_call {
	const char *method;     /* "GET", "HEAD", "PUT" or "DELETE" */
	/* Whole. libcurl signs path and query as they stand: escaped already, the query's
	 * members in the order of their names. */
	const char *url;
	const char *copy_of;    /* PUT: "/bucket/key" that the server copies there; NULL: body */
	const char *sha256;     /* of the body, in hex; NULL: there is none */
	const void *body;       /* borrowed */
	size_t len;
	struct buf *out;        /* gets a 2xx body, what is in it stays; NULL: r->body */
	size_t max;             /* bytes of it */
	/* the answer, besides *r; in seconds since 1970, 0: not said */
	int64_t date, modified;
};

/* NULL with ENOMEM: libcurl can't start. */
struct http_store *http_store_open(const struct http_store_opts *o);
void http_store_free(struct http_store *s);

/* 0 with a status of 200-299, or -1 with the reason in *r and in out whatever came. */
int http_store_do(struct http_store *s, struct http_store_call *c, struct http_result *r);

#endif
