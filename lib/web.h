/* web.h - an HTTP/1.1 server in the caller's loop (loop.h), on libmicrohttpd.
 *
 * handle gets each request whole, body and all, and answers it then or later:
 * web_answer once, or web_stream once. A request is valid until that call returns.
 * Bodies are bounded each and together; connections in number and in the time that
 * they may take for a request; what a stream's reader does not take is bounded, and
 * the reader is dropped beyond. Nothing here is about what is served. Exits (die)
 * only while it starts. One thread. */
#ifndef WEB_H
#define WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

enum {
	WEB_HEADER = 8192,              /* bytes of request line and headers, most */
	WEB_BODY = 16 << 20,            /* of a body */
	WEB_BODIES = 192 << 20,         /* of all bodies being held, of clients that are known */
	WEB_BODIES_NEW = 64 << 20,      /* and of those that are not: anybody can send one and stop half-way */
	WEB_STREAM = 256 << 10,         /* bytes that a stream's reader may be behind */
	WEB_STREAMS = 128 << 20,        /* that all of them may be; beyond, only WEB_STREAM / 16 each */
	WEB_PARAMS = 16                 /* parameters of a query string */
};

struct web_req;
struct web_stream;

/* Seconds that a client may take. */
struct web_times {
	double first;                   /* from the connection to its first request */
	double idle;                    /* between two requests */
	double body;                    /* for a body to come in */
	double answer;                  /* for an answer to go out */
	double take;                    /* a stream's reader that is behind, until it takes something */
};
#define WEB_TIMES { 20, 75, 120, 600, 60 }

struct web_opts {
	const char *address;            /* "1.2.3.4:80", "[::1]:80" */
	unsigned connections, per_address;      /* most; per_address 0: no limit */
	struct web_times times;
	const char *cert, *key;         /* PEM texts, both or none */
	void (*handle)(struct web_req *r);
	/* By its headers, whether a client is one that handle has taken requests of. NULL: none is. */
	bool (*known)(const struct web_req *r);
	/* Answers, at once, a request that handle was given and that is not answered: the server
	 * ends. */
	void (*abandon)(struct web_req *r);
	/* A request ended that was answered with this status, sent or not. May be NULL. */
	void (*done)(struct web_req *r, unsigned status, int64_t us);
};

/* Parameters of the query string, decoded. */
struct web_param {
	const char *name, *value;
};

struct web_req {
	const char *method, *path;      /* the path as it came, not decoded; HEAD stays HEAD */
	struct web_param param[WEB_PARAMS];
	int nparams;                    /* -1: too many, or not to be decoded */
	struct buf body;
	bool ambiguous;                 /* where it ends others may see otherwise: answered 400, the connection ends */
	bool too_large, busy;           /* the body was not kept: over WEB_BODY, too many */
	bool loopback;                  /* the client is on this machine */
	bool secure;                    /* came by TLS */
	char id[65];                    /* the request's: the client's own if it is a decent one */
	void *user;                     /* the owner's */
	/* The rest is web's. */
	void *con, *conn, *response;
	struct buf kept, head;
	size_t counted;                 /* bytes of the body as it came; the owner may change body */
	unsigned status;
	int64_t since_us;
	bool known, asked, suspended;
};

void web_start(const struct web_opts *o);
/* The port it listens on. */
unsigned web_port(void);
/* Each second: ends what takes too long. */
void web_reap(void);
/* Stops listening. */
void web_close(void);
/* Has abandon answer what waits, gives readers a second, ends all connections. No other part of the
 * loop may run afterwards: what it still does for a request has nobody to answer. */
void web_stop(void);

/* NULL: there is none. Borrowed until the answer. */
const char *web_header(const struct web_req *r, const char *name);
const char *web_param(const struct web_req *r, const char *name);
/* Adds a header to the answer, before it. Control characters in value become spaces. */
void web_add(struct web_req *r, const char *name, const char *value);
/* Answers. body is taken over and is empty afterwards; NULL: none. type NULL: none. */
void web_answer(struct web_req *r, unsigned status, const char *type, struct buf *body);
/* The same for bytes that live as long as the process. */
void web_static(struct web_req *r, unsigned status, const char *type, const void *bytes, size_t len);

/* Answers 200 with a stream of server-sent events. gone is called once, when the reader has
 * gone or was dropped, or after web_end; the stream is no longer valid then. */
struct web_stream *web_stream(struct web_req *r, void (*gone)(void *ctx), void *ctx);
/* -1: the reader is too slow and is dropped (gone is called later). */
int web_send(struct web_stream *s, const char *p, size_t len);
/* Bytes that the reader has not taken yet. */
size_t web_behind(const struct web_stream *s);
/* After what was sent, the end. */
void web_end(struct web_stream *s);

struct web_counts {
	unsigned long requests, connections, streams, dropped, reaped;
};
struct web_counts web_counts(void);

#endif
