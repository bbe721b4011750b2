/* fetch.h - many HTTP requests at once, politely: what adapters, fetchers and
 * clients of services stand on. flow.h drives it for a filter.
 *
 * Guarded like http.h: public addresses and SLUICE_HTTP_ALLOW's only, checked for
 * the address really connected to; limits on size, time and redirects. Each host
 * (scheme, name and port) has its own queue, so many requests at a time and so
 * many a second. A redirect is a request of its own to the host that it
 * leads to, and a secret goes to the first URL's scheme, host and port alone.
 *
 * A host that says when to come back (429, 503 with Retry-After) gets nothing
 * until then, and one that fails several times in a row nothing for a while;
 * requests for it are answered at once, with "retry" and a time after which to come
 * again, one after the other at the host's rate. So nothing sleeps here: who asks
 * hands after_ms on to the ledger.
 *
 * Functions never print. Not thread-safe.
 */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "http_multi.h"

struct fetch;

struct fetch_opts {
	const char *allow;      /* networks allowed besides public ones; may be NULL */
	const char *agent;      /* User-Agent; NULL: "sluice" */
	/* Requests a second to a host: "5", "5 api.example.org=10 127.0.0.1:80=0";
	 * 0 is no limit. NULL: "5". */
	const char *rate;
	unsigned per_host;      /* at once to a host; 0: 8 */
	unsigned at_once;       /* in all; 0: 64 */
	size_t max;             /* bytes of a body; 0: 16 MiB */
	unsigned long connect_ms;       /* 0: 10000 */
	unsigned long total_ms; /* of one request, each redirect anew; 0: 60000 */
	unsigned redirects;     /* 0: 5 */
	unsigned failures;      /* in a row, then a host rests; 0: 5 */
	unsigned long rest_ms;  /* 0: 60000 */
	/* A folder for answers that may be kept, for requests with .keep, and for the rate
	 * that all processes with this folder keep together; NULL: none. */
	const char *cache;
	uint64_t cache_max;     /* bytes; 0: 1 GiB */
};

struct fetch_request {
	/* Copied by fetch_start. */
	const char *url;
	const char *method;     /* NULL: GET, or POST where there is a body */
	const char *secret;     /* a header, "Authorization: Bearer K"; may be NULL */
	const char *secret_query;       /* "key=K", for the query; may be NULL */
	const char *header;     /* one more, "Accept: application/json"; may be NULL */
	/* Borrowed until the answer. */
	const char *body;
	size_t body_len;
	const struct http_part *parts;
	size_t n_parts;
	/* Gets the body of a 2xx answer as it comes, r->body stays empty; -1 ends the request.
	 * What came before a failure is not taken back: begin anew for another request. */
	int (*sink)(void *ctx, const void *p, size_t len);
	/* Whose the answer is, for the cache, where secret changes from time to time (a token);
	 * NULL: secret's. */
	const char *keep_for;
	/* Settings of this request; 0: as in fetch_opts. */
	size_t max;
	unsigned long total_ms;
	bool keep;              /* in the cache, and take it from there; not with a body or a sink */
	unsigned long wait_ms;  /* begin no earlier than so long from now: to ask again how far a task is */
	/* The answer. r is borrowed until done returns; r->url is where it came from in
	 * the end, without secrets. Codes besides those of http.h: "rate_limited",
	 * "host_resting" (both with retry). done may call fetch_start. */
	void (*done)(void *ctx, struct http_result *r);
	void *ctx;
};

/* NULL with errno: EINVAL when allow is no list of networks, ERANGE when rate is
 * no list of rates, ENOMEM when libcurl cannot start; else of the cache's folder. */
struct fetch *fetch_open(const struct fetch_opts *o);
/* Also what is on its way, without calling done. */
void fetch_free(struct fetch *f);

/* Never answers by itself: done is called from fetch_work. */
void fetch_start(struct fetch *f, const struct fetch_request *q);
/* Answers what there is to answer; starts what may start. Returns the number of
 * requests that are not answered. */
size_t fetch_work(struct fetch *f);
/* Until fetch_work has something to do or fd (-1: none) can be read. 0, or -1. */
int fetch_wait(struct fetch *f, int fd);

struct fetch_totals {
	uint64_t sent, redirected, put_off;     /* put off: answered with "later", not sent */
	uint64_t kept, fresh, unchanged;        /* of the cache: stored, taken, taken after a look */
	uint64_t cache_faults;  /* it could not be read or written; the requests went on without */
};
const struct fetch_totals *fetch_totals(const struct fetch *f);

/* The secret in a file: its first line. 0, or -1 with errno (EINVAL: it is empty, has 4096
 * bytes or more, or some that no header may have). */
int fetch_secret(const char *path, struct buf *out);

#endif
