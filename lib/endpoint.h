/* endpoint.h - a page over HTTP, for machines that come by: GET and HEAD of
 * /metrics, one request a connection, a thread each, at most ENDPOINT_MAX at once
 * and ENDPOINT_SECS long, headers of at most ENDPOINT_HEADER bytes. Besides
 * web.h the one module that knows libmicrohttpd. Exits (die) only while it starts. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "mem.h"

enum { ENDPOINT_MAX = 32, ENDPOINT_SECS = 10, ENDPOINT_HEADER = 16384 };

/* Listens on "1.2.3.4:9464" or "[::1]:9464"; page appends the page's text, from any thread. */
void endpoint_start(const char *address, void (*page)(struct buf *out));

/* Each second: ends connections that are open for too long. */
void endpoint_reap(void);

unsigned long endpoint_scrapes(void);
unsigned long endpoint_refused(void);

#endif
