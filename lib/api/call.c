/* call.c - from a request to its route: path, parameters, body, then who asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/counts.h"
#include "api/parse.h"
#include "api/wires.h"
#include "err.h"
#include "percent.h"
#include "words.h"

struct api_opts api;
struct pgpool *api_quick, *api_slow;

enum { QUICK = 4, SLOW = 4 };

static unsigned open_calls;
static bool stopping;

/* The path without a leading /v1, so that /jobs answers as /v1/jobs does. */
static const char *
plain(const char *path)
{
	return strncmp(path, "/v1/", 4) == 0 ? path + 3 : path;
}

static bool
same_method(const char *route, const char *method)
{
	return strcmp(route, method) == 0 || (strcmp(route, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The route, or NULL: allow is then what the path's others allow. */
static const struct route *
find(struct call *c, struct buf *allow)
{
	const char *part;
	size_t len;

	for (const struct route *t = api_routes; t->path; t++) {
		bool both = strncmp(t->path, "/v1/jobs", 8) == 0;

		if (!parse_fits(both ? t->path + 3 : t->path, both ? plain(c->r->path) : c->r->path, &part, &len))
			continue;
		if (same_method(t->method, c->r->method)) {
			c->part.len = 0;
			c->garbled = part && percent_decode(&c->part, part, len) < 0;
			buf_str(&c->part);
			return t;
		}
		buf_addf(allow, "%s%s%s", allow->len ? ", " : "", t->method, strcmp(t->method, "GET") ? "" : ", HEAD");
	}
	return NULL;
}

static void
unknown(struct call *c, const char *name)
{
	const char *words = c->route->params ? c->route->params : "";
	size_t n = strlen(words);

	if (strstr(name, "token"))
		problem(c, 400, "unknown_parameter", name, "a token goes into the header: Authorization: Bearer TOKEN");
	else
		problem(c, 400, "unknown_parameter", name, "this path takes no parameter of that name%s%.*s",
		    n ? "; it takes:" : "", n ? (int)n - 1 : 0, words);
}

static bool
params_good(struct call *c)
{
	struct web_req *r = c->r;

	if (r->nparams < 0) {
		problem(c, 400, "bad_query", NULL, "the query string is no UTF-8 in percent-encoding, or has more than %d parameters",
		    WEB_PARAMS);
		return false;
	}
	/* A page's form sends the fields that nobody filled in, too. */
	for (int i = 0; c->route->page && i < r->nparams; )
		if (*r->param[i].value)
			i++;
		else
			r->param[i] = r->param[--r->nparams];
	for (int i = 0; i < r->nparams; i++) {
		const char *name = r->param[i].name;

		if (!words_have(c->route->params, " ", name, strlen(name))) {
			unknown(c, name);
			return false;
		}
		for (int j = 0; j < i; j++)
			if (strcmp(r->param[j].name, name) == 0) {
				problem(c, 400, "repeated_parameter", name, "this parameter is there twice");
				return false;
			}
	}
	return true;
}

static bool
body_good(struct call *c)
{
	const char *type = web_header(c->r, "Content-Type");

	if (c->r->too_large) {
		problem(c, 413, "too_large", NULL, "a body may have %d MiB", WEB_BODY >> 20);
		return false;
	}
	if (c->r->busy) {
		problem(c, 503, "busy", NULL, "too many bodies are being received: try again");
		return false;
	}
	if (!c->r->body.len || !c->route->types)
		return true;
	if (!type || !parse_type(c->route->types, type)) {
		problem(c, 415, "content_type", "Content-Type", "this path takes%s", c->route->types);
		return false;
	}
	return true;
}

/* Headers that every answer has. */
static void
common(struct call *c)
{
	const char *origin = api.origins ? web_header(c->r, "Origin") : NULL;

	if (!c->route || c->route->run != asset_get)
		web_add(c->r, "Cache-Control", "no-store");
	web_add(c->r, "X-Content-Type-Options", "nosniff");
	if (!api.origins)
		return;
	web_add(c->r, "Vary", "Origin");
	if (!origin || !words_have(api.origins, " ", origin, strlen(origin)))
		return;
	web_add(c->r, "Access-Control-Allow-Origin", origin);
	web_add(c->r, "Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id");
	if (strcmp(c->r->method, "OPTIONS") != 0)
		return;
	web_add(c->r, "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
	web_add(c->r, "Access-Control-Allow-Headers",
	    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, traceparent");
	web_add(c->r, "Access-Control-Max-Age", "600");
}

static void
no_route(struct call *c, struct buf *allow)
{
	if (!allow->len) {
		problem(c, 404, "no_path", NULL, "there is nothing at this path: see /openapi.json");
		return;
	}
	buf_adds(allow, ", OPTIONS");
	web_add(c->r, "Allow", buf_str(allow));
	if (strcmp(c->r->method, "OPTIONS") == 0)
		web_answer(c->r, 204, NULL, NULL);
	else
		problem(c, 405, "method", NULL, "this path answers %s", allow->p);
}

static void
run(struct call *c)
{
	c->route->run(c);
}

void
api_handle(struct web_req *r)
{
	struct call *c = mem_zalloc(sizeof(*c));
	struct buf allow = BUF_INIT;

	c->r = r;
	r->user = c;
	open_calls++;
	c->route = find(c, &allow);
	common(c);
	if (r->ambiguous)
		problem(c, 400, "bad_framing", NULL, "Content-Length or Transfer-Encoding is there twice, or a header has no proper name");
	else if (!c->route)
		no_route(c, &allow);
	else if (c->garbled)
		problem(c, 400, "bad_path", NULL, "the path is no UTF-8 in percent-encoding");
	else if (stopping && c->route->run != healthz)
		problem(c, 503, "stopping", NULL, "this server is being stopped: try again");
	else if (params_good(c) && body_good(c))
		auth(c, run);
	buf_free(&allow);
}

void
api_done(struct web_req *r, unsigned status, int64_t us)
{
	struct call *c = r->user;

	counts_request(status, c && c->route && (c->route->run == job_events || c->route->run == all_events) ? -1 : us);
	if (!c)
		return;
	open_calls--;
	buf_free(&c->part);
	buf_free(&c->out);
	if (c->drop)
		c->drop(c->state);
	else
		free(c->state);
	free(c);
}

void
api_abandon(struct web_req *r)
{
	problem(r->user, 503, "stopping", NULL, "this server ends before there is an answer: send the request again, it is not done twice "
	    "under the same job_id or Idempotency-Key");
}

void
api_start(const struct api_opts *o)
{
	api = *o;
	counts_start();
	api_quick = pgpool_open(o->db, "jobs-api", QUICK, API_VERSION);
	api_slow = pgpool_open(o->db, "jobs-api lists", SLOW, API_VERSION);
	wires_start();
	events_start();
}

void
api_stop(void)
{
	stopping = true;
	events_stop();
}

bool
api_stopping(void)
{
	return stopping;
}

unsigned
api_open_calls(void)
{
	return open_calls;
}
