/* fetch_cache.h - answers on disk, for as long as their server allows (RFC 9111: max-age,
 * no-store, Expires, ETag, Last-Modified), and the pace that processes on one machine
 * keep together. Internal to lib/fetch*.
 *
 * An answer is a file named by the sha256 of its request, secrets included: whoever
 * has another key has other answers. It is written beside and renamed, and a
 * file whose bytes are not what it says is none. Each of the 256 folders may
 * have its part of the limit; the oldest go first. Everything returns a status.
 */
#ifndef FETCH_CACHE_H
#define FETCH_CACHE_H

#include <stdatomic.h>
#include <stdint.h>

#include "b64.h"
#include "http_multi.h"

enum { FETCH_PACES = 4096 };

struct fetch_cache {
	int dir;                /* -1: there is none */
	uint64_t max;           /* bytes of all answers */
	size_t stored;          /* since the last look at a folder's size */
	_Atomic int64_t *pace;  /* (FETCH_PACES): when the next request to a host may begin, µs; or NULL */
};
#define FETCH_CACHE_INIT { -1, 0, 0, NULL }

struct fetch_kept {
	char etag[256], modified[64];   /* to ask whether it has changed, or "" */
	char type[256];
	int64_t until;          /* fresh until then, seconds since 1970; 0: ask */
};

/* Makes the folder if it is missing. 0, or -1 with errno. */
int fetch_cache_open(struct fetch_cache *c, const char *path, uint64_t max);
void fetch_cache_close(struct fetch_cache *c);

/* The name of what a request's answer would be kept as. */
void fetch_cache_name(char name[SHA256_HEX], const char *url, const char *secret, const char *secret_query,
    const char *header);
/* 1: *k says what is kept, body has it; 0: nothing is, or it is not whole; -1 with errno. */
int fetch_cache_get(struct fetch_cache *c, const char *name, struct fetch_kept *k, size_t max, struct buf *body);
/* Keeps an answer if its headers allow that; now: seconds since 1970. 1: kept, 0: it may
 * not be, -1 with errno. */
int fetch_cache_put(struct fetch_cache *c, const char *name, const struct http_transfer *t, int64_t now);
/* It has not changed: the headers of a 304 say for how long that holds. The same. */
int fetch_cache_again(struct fetch_cache *c, const char *name, const struct fetch_kept *k,
    const struct http_transfer *t, const struct buf *body, int64_t now);

/* Until when headers say that an answer is fresh; -1: it may not be kept. age_s: it is so old already. */
int64_t fetch_cache_until(const char *control, const char *expires, int64_t age_s, int64_t now);

#endif
