/* submit.c - POST /v1/jobs: one request, or many, a line each. Each is answered by the
 * intake once the ledger holds it. */
#include "api/submit.h"

#include <stdlib.h>
#include <string.h>

#include "api/parse.h"
#include "api/wires.h"
#include "b64.h"

/* MANY_MAX: lines of batches that wait for their answer at once; single requests find room beside them. */
enum { BATCH_MAX = 10000, MANY_MAX = 500 };

/* A call's requests. */
struct batch {
	struct call *c;
	struct batch *next;             /* of those that wait for room in the wire */
	bool many;
	size_t n, sent, answered, at;   /* lines; at: where in the body the next one is */
	struct item *item;
};

struct item {
	struct asking asking;           /* first */
	struct batch *b;
	struct asked_for request;
	unsigned status;                /* 0: not answered */
	struct buf result;
};

static struct batch *waiting;
static size_t many_sent;                /* lines of batches in the wire */

static void
free_batch(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_free(&b->item[i].result);
	free(b->item);
	free(b);
}

static void
answer_one(struct call *c, struct item *i, const char *location)
{
	if (i->status == 202 || i->status == 200)
		web_add(c->r, "Location", location);
	if (i->status == 503)
		web_add(c->r, "Retry-After", "1");
	if (i->status >= 300)
		problem_instance(c, &i->result);
	web_answer(c->r, i->status, i->status < 300 ? "application/json" : "application/problem+json", &i->result);
}

static void
answer_many(struct call *c, struct batch *b)
{
	buf_adds(&c->out, "{\"results\":[");
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		buf_addf(&c->out, "%s{\"index\":%zu,\"status\":%u,\"%s\":", i ? "," : "", i, it->status,
		    it->status < 300 ? "job" : "problem");
		buf_add(&c->out, it->result.p, it->result.len);
		buf_addc(&c->out, '}');
	}
	buf_adds(&c->out, "]}");
	answer_json(c, 207);
}

/* One more has its status; the last one is the answer's turn. */
static void
settled(struct item *i, unsigned status, const char *location)
{
	struct batch *b = i->b;

	i->status = status;
	if (++b->answered < b->n)
		return;
	if (b->many)
		answer_many(b->c, b);
	else
		answer_one(b->c, i, location);
	free_batch(b);
}

static void
on_answer(struct asking *a, const char *line, size_t len)
{
	static struct buf location;
	struct item *i = (struct item *)a;
	unsigned status = outcome_json(&i->result, &i->request, line, len, &location);

	many_sent -= i->b->many;
	settled(i, status, location.p);
}

static void
refuse(struct item *i, const struct fault *f)
{
	problem_json(&i->result, f->status, f->code, f->member, f->detail);
	settled(i, f->status, NULL);
}

/* The next line of the body that is not blank. */
static const char *
next_line(struct batch *b, size_t *len)
{
	const char *p = b->c->r->body.p, *end = p + b->c->r->body.len, *at = p + b->at, *lf;

	if (!b->many) {
		*len = b->c->r->body.len;
		return p;
	}
	for (; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (!lf)
			lf = end;
		*len = (size_t)(lf - at);
		for (size_t i = 0; i < *len; i++)
			if (!strchr(" \t\r", at[i])) {
				b->at = (size_t)(lf - p) + 1;
				return at;
			}
	}
	return NULL;
}

/* What wires_send says, from WIRE_SENT down. */
static const struct fault faults[] = {
	{ 0, NULL, NULL, NULL },
	{ 503, "busy", NULL, "too many requests wait for the intake: try again" },
	{ 413, "too_large", NULL, "a request may have 16 MiB" },
	{ 503, "no_intake", NULL, "the intake can't be reached now: try again" }
};

/* Sends what fits; b may be gone afterwards: with its last line's answer. */
static void
pump(struct batch *b)
{
	static struct buf line;

	for (;;) {
		struct item *i = &b->item[b->sent];
		size_t len, at = b->at;
		const char *p = next_line(b, &len);
		enum wire_sent sent;
		struct fault f;
		bool last;

		i->request = (struct asked_for){ b->c, p, len };
		if (request_line(b->c, p, len, b->sent, &line, &f)) {
			sent = b->many && many_sent >= MANY_MAX ? WIRE_FULL : wires_send(WIRES_INTAKE, line.p, line.len, &i->asking);
			many_sent += b->many && sent == WIRE_SENT;
			if (sent == WIRE_FULL && b->many) {
				b->at = at;
				b->next = waiting;
				waiting = b;
				return;
			}
			f = faults[-sent];
		}
		last = ++b->sent == b->n;
		if (f.status)
			refuse(i, &f);
		if (last)
			return;
	}
}

void
submit_room(void)
{
	struct batch *b = waiting, *next;

	waiting = NULL;
	for (; b; b = next) {
		next = b->next;
		pump(b);
	}
}

static void
begin(struct call *c)
{
	struct batch *b = mem_zalloc(sizeof(*b));
	const char *type = web_header(c->r, "Content-Type");
	size_t len;

	b->c = c;
	b->many = type && parse_type("application/x-ndjson", type);
	b->n = 1;
	if (b->many) {
		for (b->n = 0; b->n <= BATCH_MAX && next_line(b, &len); b->n++)
			;
		b->at = 0;
	}
	if (b->n == 0 || b->n > BATCH_MAX) {
		problem(c, b->n ? 413 : 400, b->n ? "too_many" : "no_body", NULL, "a batch has 1 to %d requests, a line each", BATCH_MAX);
		b->n = 0;
		free_batch(b);
		return;
	}
	b->item = mem_zalloc(b->n * sizeof(*b->item));
	for (size_t i = 0; i < b->n; i++)
		b->item[i] = (struct item){ .asking.answer = on_answer, .b = b };
	pump(b);
}

static void
got_key(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (strcmp(pg_bytes(db, 0, 0, NULL), "other") == 0)
		problem(c, 422, "idempotency_key", "Idempotency-Key", "this key was used before with another body");
	else
		begin(c);
}

void
job_submit(struct call *c)
{
	const char *key = web_header(c->r, "Idempotency-Key");
	unsigned char digest[32];
	struct pgcall *q;

	if (!c->r->body.len) {
		problem(c, 400, "no_body", NULL, "the body is the request: one JSON object, or with application/x-ndjson one a line");
	} else if (!web_header(c->r, "Content-Type")) {
		problem(c, 415, "content_type", "Content-Type", "say application/json or application/x-ndjson");
	} else if (key && !parse_key(key)) {
		problem(c, 400, "bad_idempotency_key", "Idempotency-Key", "a key has 1 to %d characters of ASCII that print, no blanks",
		    PARSE_KEY_MAX);
	} else if (key) {
		sha256_raw(c->r->body.p, c->r->body.len, digest);
		q = pgpool_call(api_quick, "select sluice.idempotency($1, $2, $3)", got_key, c);
		pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), call_tenant(c));
		pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), key);
		pg_put(&q->args, pg_scalar(&q->args, PG_BYTEA), digest, sizeof(digest));
		pgpool_run(q);
	} else {
		begin(c);
	}
}
