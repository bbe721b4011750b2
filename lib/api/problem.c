/* problem.c - answers: JSON, and problem documents (RFC 9457). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "err.h"
#include "json.h"
#include "now.h"

static const char *
title(unsigned status)
{
	switch (status) {
	case 400: return "Bad request";
	case 401: return "A token is needed";
	case 403: return "The token does not allow this";
	case 404: return "Not found";
	case 405: return "Method not allowed";
	case 409: return "Conflict";
	case 413: return "Too large";
	case 415: return "Unsupported media type";
	case 422: return "The content can't be taken";
	case 429: return "Too many requests";
	case 503: return "Not now";
	default: return "Internal error";
	}
}

static void
add(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	json_quotes(out, value);
}

static void
object(struct buf *out, unsigned status, const char *code, const char *member, const char *detail, const char *id)
{
	buf_addf(out, "{\"type\":\"/problems/%s\",\"title\":", code);
	json_quotes(out, title(status));
	buf_addf(out, ",\"status\":%u", status);
	add(out, "code", code);
	add(out, "detail", detail);
	if (member)
		add(out, "member", member);
	if (id)
		add(out, "instance", id);
	buf_addc(out, '}');
}

void
problem_json(struct buf *out, unsigned status, const char *code, const char *member, const char *detail)
{
	object(out, status, code, member, detail, NULL);
}

void
problem_instance(const struct call *c, struct buf *object)
{
	object->len--;
	add(object, "instance", c->r->id);
	buf_addc(object, '}');
}

void
problem(struct call *c, unsigned status, const char *code, const char *member, const char *fmt, ...)
{
	char detail[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	c->out.len = 0;
	if (status == 401)
		web_add(c->r, "WWW-Authenticate", "Bearer realm=\"sluice\"");
	if (status == 503)
		web_add(c->r, "Retry-After", "1");
	if (c->route && c->route->page) {
		page_of_problem(c, status, title(status), detail);
		return;
	}
	object(&c->out, status, code, member, detail, c->r->id);
	web_answer(c->r, status, "application/problem+json", &c->out);
}

/* Once a second at most: an outage makes many of them. */
static void
tell(const struct call *c, const struct pg *db)
{
	static int64_t told;

	if (!db || now_ms() - told < 1000)       /* no connection: pgpool has said so */
		return;
	told = now_ms();
	warn("%s: %s request=%s", c->route->path, db->err, c->r->id);
}

/* What the database says of itself is for the log, not for strangers. */
void
problem_db(struct call *c, enum pg_status st, struct pg *db)
{
	if (st != PG_DATA)
		tell(c, db);
	/* A ledger that can only be read: one that is being moved to another server. */
	if (st == PG_BUG && db && !strcmp(db->state, "25006"))
		st = PG_RETRY;
	if (st == PG_DATA)
		problem(c, 400, "bad_value", NULL, "the ledger can't take a value of this request");
	else if (st == PG_RETRY && db && !strcmp(db->state, "57014"))
		problem(c, 503, "too_slow", NULL, "the ledger took too long: try again, or ask for less");
	else if (st == PG_RETRY || st == PG_LOST)
		problem(c, 503, "no_ledger", NULL, "the ledger can't be reached now: try again");
	else
		problem(c, 500, "internal", NULL, "the ledger refused the call: see the log of jobs-api");
}

void
answer_json(struct call *c, unsigned status)
{
	web_answer(c->r, status, "application/json", &c->out);
}

void
answer_column(struct call *c, unsigned status, struct pg *db, int col)
{
	size_t len;
	const char *p = pg_bytes(db, 0, col, &len);

	c->out.len = 0;
	buf_add(&c->out, p, len);
	answer_json(c, status);
}
