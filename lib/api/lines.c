/* lines.c - single lines to a filter: a dead letter fed again, a search. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/submit.h"
#include "api/wires.h"
#include "json.h"

struct single {
	struct asking asking;   /* first */
	struct call *c;
};

static void
send(struct call *c, enum wires_which which, const struct buf *line, void (*answer)(struct asking *, const char *, size_t))
{
	struct single *s = c->state = mem_zalloc(sizeof(*s));
	enum wire_sent sent;

	s->asking.answer = answer;
	s->c = c;
	sent = wires_send(which, line->p, line->len, &s->asking);
	if (sent == WIRE_TOO_LONG)
		problem(c, 413, "too_large", NULL, "with what belongs to it, it is too long");
	else if (sent != WIRE_SENT)
		problem(c, 503, which == WIRES_HITS ? "no_search" : "no_intake", NULL, "the %s can't be reached now: try again",
		    which == WIRES_HITS ? "search" : "intake");
}

static void
fed(struct asking *a, const char *line, size_t len)
{
	static struct buf location;
	struct call *c = ((struct single *)a)->c;
	unsigned status = outcome_json(&c->out, line, len, &location);

	if (status < 300) {
		web_add(c->r, "Location", location.p);
		status = 202;
	}
	if (status == 503)
		web_add(c->r, "Retry-After", "1");
	web_answer(c->r, status, status < 300 ? "application/json" : "application/problem+json", &c->out);
}

/* The dead letter's line, marked as one, with the mended request if there is one. */
static void
got_letter(void *ctx, enum pg_status st, struct pg *db)
{
	static struct rec r, body;
	struct call *c = ctx;
	struct buf line = BUF_INIT;
	struct rec_change change[2] = { { "refeed", "{}", 2 }, { .name = "request" } };
	size_t len;
	const char *p;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	if (pg_rows(db) == 0 || pg_null(db, 0, 0)) {
		problem(c, 404, "no_dead_letter", "no", "there is no dead letter of that number");
		return;
	}
	p = pg_bytes(db, 0, 0, &len);
	if (c->r->body.len && !body_object(c, &body))
		return;
	if (rec_parse(&r, p, len) != REC_OK) {
		problem(c, 500, "internal", NULL, "the ledger's line of it can't be read");
		return;
	}
	for (size_t i = 0; i < c->r->body.len; i++)
		if (c->r->body.p[i] == '\n' || c->r->body.p[i] == '\r')
			c->r->body.p[i] = ' ';
	change[1].val = c->r->body.p;
	change[1].len = c->r->body.len;
	rec_edit(&line, &r, change, c->r->body.len ? 2 : 1);
	send(c, WIRES_INTAKE, &line, fed);
	buf_free(&line);
}

void
dead_feed(struct call *c)
{
	struct pgcall *q;

	if (!part_is_number(c))
		return;
	q = pgpool_call(api_slow, "select sluice.api_dead_one($1, $2)", got_letter, c);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), c->number);
	pgpool_run(q);
}

static void
found(struct asking *a, const char *line, size_t len)
{
	static struct rec r;
	struct call *c = ((struct single *)a)->c;
	const struct rec_member *m;

	if (!line || rec_parse(&r, line, len) != REC_OK || rec_get(&r, "error") || !(m = rec_get(&r, "hits"))) {
		problem(c, 503, "no_search", NULL, "the search gave no answer: try again");
		return;
	}
	buf_adds(&c->out, "{\"hits\":");
	buf_add(&c->out, m->val, m->val_len);
	buf_addc(&c->out, '}');
	answer_json(c, 200);
}

void
search_get(struct call *c)
{
	const char *q = web_param(c->r, "q"), *doc = web_param(c->r, "doc_key"), *share = web_param(c->r, "share");
	struct buf line = BUF_INIT;
	char *end = NULL;
	double v = share ? strtod(share, &end) : 0.5;
	int64_t limit;
	bool passages;

	if (!q || !*q || strlen(q) > 1000) {
		problem(c, 400, "bad_parameter", "q", "q is what to look for, 1 to 1000 bytes");
		return;
	}
	if (share && (end == share || *end || strspn(share, "0123456789.") != strlen(share) || !(v >= 0 && v <= 1))) {
		problem(c, 400, "bad_parameter", "share", "share must be a number from 0 to 1");
		return;
	}
	if (param_number(c, "limit", 5, 1, 100, &limit) < 0 || param_bool(c, "passages", &passages) < 0)
		return;
	buf_adds(&line, "{\"query\":");
	json_quotes(&line, q);
	buf_adds(&line, ",\"tenant\":");
	json_quotes(&line, call_tenant(c));
	buf_addf(&line, ",\"limit\":%lld,\"share\":%.6f,\"passages\":%s", (long long)limit, v, passages ? "true" : "false");
	if (doc) {
		buf_adds(&line, ",\"doc_key\":");
		json_quotes(&line, doc);
	}
	buf_addc(&line, '}');
	send(c, WIRES_HITS, &line, found);
	buf_free(&line);
}
