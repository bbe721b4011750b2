/* web_way.c - a request's way: its body comes in, its owner answers it, now or later. */
#include "web_int.h"

#include <stdlib.h>

#include "now.h"

static unsigned long requests;
static size_t bodies[2];        /* bytes that are held: of who is not known, of who is */

static struct web_req *
begin(const struct web_opts *o, struct MHD_Connection *con, const char *url, const char *method)
{
	struct web_req *r = mem_zalloc(sizeof(*r));

	r->con = con;
	r->conn = web_conn_of(con);
	r->since_us = now_us();
	((struct web_conn *)r->conn)->req = r;
	web_conn_phase(r->conn, PHASE_BODY);
	web_req_fill(r, con, url, method);
	r->known = o->known && o->known(r);
	requests++;
	return r;
}

static void
body(struct web_req *r, const char *p, size_t len)
{
	r->too_large |= r->body.len + len > WEB_BODY;
	r->busy |= bodies[r->known] + len > (r->known ? WEB_BODIES : WEB_BODIES_NEW);
	if (r->too_large || r->busy) {
		bodies[r->known] -= r->counted;
		r->counted = 0;
		buf_free(&r->body);
		return;
	}
	bodies[r->known] += len;
	r->counted += len;
	buf_add(&r->body, p, len);
}

static enum MHD_Result
queue(struct web_req *r)
{
	enum MHD_Result ok = MHD_queue_response(r->con, r->status, r->response);
	struct web_conn *c = r->conn;

	if (!c->stream)
		web_conn_phase(c, PHASE_ANSWER);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return ok;
}

/* A body that says how long it is, and that that is too long, is not waited for. */
static bool
announces_too_much(const struct web_req *r)
{
	const char *len = web_header(r, "Content-Length");

	return len && strtoull(len, NULL, 10) > WEB_BODY;
}

enum MHD_Result
web_way(void *cls, struct MHD_Connection *con, const char *url, const char *method, const char *version,
    const char *data, size_t *len, void **ctx)
{
	const struct web_opts *o = cls;
	struct web_req *r = *ctx;

	(void)version;
	if (!r) {
		*ctx = r = begin(o, con, url, method);
		r->too_large = announces_too_much(r);
		if (!r->too_large && !r->ambiguous)
			return MHD_YES;
	} else if (*len) {
		body(r, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (r->response)
		return queue(r);
	if (r->asked)           /* resumed for nothing */
		return MHD_YES;
	r->asked = true;
	web_conn_phase(r->conn, PHASE_WAIT);
	o->handle(r);
	if (r->response)
		return queue(r);
	r->suspended = true;
	MHD_suspend_connection(con);
	return MHD_YES;
}

void
web_respond(struct web_req *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->con);
	web_again();
}

void
web_way_end(void *cls, struct MHD_Connection *con, void **ctx, enum MHD_RequestTerminationCode code)
{
	const struct web_opts *o = cls;
	struct web_req *r = *ctx;

	(void)con, (void)code;
	if (!r)
		return;
	if (o->done)
		o->done(r, r->status, now_us() - r->since_us);
	((struct web_conn *)r->conn)->req = NULL;
	web_conn_phase(r->conn, PHASE_IDLE);
	bodies[r->known] -= r->counted;
	if (r->response)
		MHD_destroy_response(r->response);
	buf_free(&r->body);
	buf_free(&r->kept);
	buf_free(&r->head);
	free(r);
	*ctx = NULL;
}

void
web_way_count(struct web_counts *n)
{
	n->requests = requests;
}
