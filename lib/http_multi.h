/* http_multi.h - many guarded transfers at once (libcurl multi), each with the
 * limits of http.h and none of them followed anywhere: a redirect is an answer.
 * What decides when and where to is fetch.c, above. Not thread-safe.
 */
#ifndef HTTP_MULTI_H
#define HTTP_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

enum { HTTP_URL_MAX = 8192 };

/* A part of multipart/form-data; all borrowed. */
struct http_part {
	const char *name;
	const char *p;          /* its bytes, */
	size_t len;
	const char *path;       /* or the file that they are read from */
	const char *file, *type;        /* a file's name and type, or NULL */
};

struct http_transfer {
	/* the request, borrowed until it is done */
	const char *url;
	const char *method;     /* NULL: GET, or POST where there is a body */
	const char *const *headers;     /* "Name: value", NULL at the end; may be NULL */
	const char *body;
	size_t body_len;
	const struct http_part *parts;  /* in place of body */
	size_t n_parts;
	size_t max;
	unsigned long connect_ms, total_ms;
	int (*sink)(void *ctx, const void *p, size_t len);      /* gets a 2xx body; -1 ends it */
	void *ctx;
	/* the answer */
	struct http_result *r;  /* url is left alone */
	char next[HTTP_URL_MAX];        /* where a redirect leads, whole, or "" */
	char etag[256], modified[64], control[256], expires[64], vary[64];      /* headers, or "" */
	int64_t age_s;          /* so long the answer lay in caches before ours */
	struct http_slot *slot; /* http_multi's own */
};

struct http_multi;

/* NULL with errno, as http_open. at_once: connections kept open. */
struct http_multi *http_multi_open(const char *allow, const char *agent, unsigned at_once);
void http_multi_free(struct http_multi *m);     /* what is on its way is dropped */

/* 0, or -1 with the reason in t->r: it never began. */
int http_multi_add(struct http_multi *m, struct http_transfer *t);
/* Works on all of them; then one that is done, or NULL. */
struct http_transfer *http_multi_done(struct http_multi *m);
/* Until there is something to work on, or fd (unless -1) can be read, or
 * timeout_ms (-1: none) has passed. 0, or -1. */
int http_multi_wait(struct http_multi *m, int fd, int timeout_ms);

/* "scheme://host:port" of an http or https URL without a user's name in it, in
 * lower case. 0, or -1 with the reason in *r. */
int http_origin(const char *url, char *out, size_t size, struct http_result *r);
/* The URL that one in a page at base means, into out (HTTP_URL_MAX bytes): http or https,
 * whole, in ASCII and without its fragment. 0, or -1: it is none. */
int http_join(const char *base, const char *url, char *out);
/* A date as headers have it, in seconds since 1970; 0: it is none. */
int64_t http_date(const char *s);
/* Appends s as it stands in a URL's path or query: all but A-Za-z0-9-._~ and
 * those in keep as %XX. */
void http_escape(struct buf *out, const char *s, size_t len, const char *keep);

#endif
