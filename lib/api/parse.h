/* parse.h - what strangers send, taken apart: no state, no memory of its own, nothing is
 * answered here. t/fuzz/fuzz-api.c feeds all of it with anything. */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a Content-Type header names one of a list's media types, in lower case there. */
bool parse_type(const char *list, const char *header);

/* Whether path fits a route such as "/jobs/{id}/logs"; *part, *len: what stands at {id}, as it
 * came; NULL where the route has none. */
bool parse_fits(const char *route, const char *path, const char **part, size_t *len);

/* The raw value of a form's field (a=1&b=2); NULL: it is not there. */
const char *parse_field(const char *body, size_t body_len, const char *name, size_t *len);

/* The value of a cookie in a Cookie header; NULL: it is not there. */
const char *parse_cookie(const char *header, const char *name, size_t *len);

/* RFC 3339: 2026-11-30T01:02:03[.123456](Z|+01:00), the + also as a blank. Whether the day
 * exists, PostgreSQL knows. */
bool parse_time(const char *s);

/* W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>. */
bool parse_traceparent(const char *s);

/* An Idempotency-Key: ASCII that prints, without blanks. */
enum { PARSE_KEY_MAX = 255 };
bool parse_key(const char *key);

/* "N.K", the id of an event of a job. */
bool parse_position(const char *id, int *n, int *k);

/* A Host header that names this machine: localhost, 127.0.0.1, [::1], with a port or
 * without. A name that somebody else's DNS points at us is not us. */
bool parse_local_host(const char *host);

/* An Origin header that is the same as the Host header. */
bool parse_same_origin(const char *origin, const char *host);

/* A path to go to that no browser takes for another site's. */
bool parse_our_path(const char *path);

#endif
