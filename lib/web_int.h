/* web_int.h - what the parts of web share. Internal: use web.h. */
#ifndef WEB_INT_H
#define WEB_INT_H

#include <microhttpd.h>

#include "loop.h"
#include "web.h"

enum web_phase { PHASE_FIRST, PHASE_IDLE, PHASE_BODY, PHASE_WAIT, PHASE_ANSWER, PHASE_STREAM };

/* A connection, from accept to close. */
struct web_conn {
	struct loop_io gone;            /* readable when a stream's reader hangs up */
	int fd;
	enum web_phase phase;
	int64_t since;                  /* now_ms of the phase's begin; of a stream: of what its reader took last */
	struct web_stream *stream;
	struct web_req *req;            /* being received or answered */
	struct web_conn *next, **at;
};

/* libmicrohttpd has something to do: at once, before the loop waits. */
void web_again(void);

void web_conns_notify(void *cls, struct MHD_Connection *con, void **ctx, enum MHD_ConnectionNotificationCode code);
struct web_conn *web_conn_of(struct MHD_Connection *con);
void web_conn_phase(struct web_conn *c, enum web_phase phase);
/* How many have sent no request yet. */
unsigned web_conns_fresh(void);
void web_conns_reap(const struct web_opts *o, struct web_counts *n);
/* Ends streams, and has requests that wait for their answer answered by now. */
void web_conns_end(void (*now)(struct web_req *r));
/* Some have a request that is not done. */
bool web_conns_busy(void);

/* What libmicrohttpd calls; cls: the struct web_opts. (web_way.c) */
enum MHD_Result web_way(void *cls, struct MHD_Connection *con, const char *url, const char *method, const char *version,
    const char *data, size_t *len, void **ctx);
void web_way_end(void *cls, struct MHD_Connection *con, void **ctx, enum MHD_RequestTerminationCode code);
void web_way_count(struct web_counts *n);

/* Reads the request line's and the headers' part. (web_req.c) */
void web_req_fill(struct web_req *r, struct MHD_Connection *con, const char *url, const char *method);
/* Whether an Accept-Encoding header allows gzip; NULL: there is none. */
bool web_takes_gzip(const char *accept);
/* A response object with r's headers. */
struct MHD_Response *web_with_headers(struct web_req *r, struct MHD_Response *m, const char *type);
/* r's response is ready: queues it, or wakes the connection that will. */
void web_respond(struct web_req *r);

void web_stream_free(void *stream);
void web_streams_count(struct web_counts *n);

#endif
