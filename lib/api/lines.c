/* lines.c - single lines to a filter: a dead letter fed again, a search. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/lists.h"
#include "api/submit.h"
#include "api/views.h"
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

/* For the page: back to the dead letter, or what the problem document says. */
static void
fed_page(struct call *c, unsigned status)
{
	struct rec r = REC_INIT;
	struct buf text = BUF_INIT;

	if (status < 300) {
		buf_addf(&text, "/ui/dead/%s", c->part.p);
		see(c, text.p, "fed");
	} else {
		if (rec_parse(&r, c->out.p, c->out.len) == REC_OK)
			rec_str(rec_get(&r, "detail"), &text);
		problem(c, status, "refused", NULL, "%s", buf_str(&text));
	}
	rec_free(&r);
	buf_free(&text);
}

static void
fed(struct asking *a, const char *line, size_t len)
{
	static struct buf location;
	struct call *c = ((struct single *)a)->c;
	struct buf request = BUF_INIT;
	unsigned status;

	buf_addf(&request, "%s %.*s", c->part.p, (int)c->r->body.len, c->r->body.len ? c->r->body.p : "");
	status = outcome_json(&c->out, &(struct asked_for){ c, request.p, request.len }, line, len, &location);
	buf_free(&request);

	if (c->route->page) {
		fed_page(c, status);
		return;
	}
	if (status < 300) {
		web_add(c->r, "Location", location.p);
		status = 202;
	}
	if (status == 503)
		web_add(c->r, "Retry-After", "1");
	if (status >= 300)
		problem_instance(c, &c->out);
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
	struct buf mended = BUF_INIT;

	if (!part_is_number(c))
		return;
	if (c->route->page) {           /* the form's field is the body */
		form_field(c, "request", &mended);
		c->r->body.len = 0;
		buf_add(&c->r->body, mended.p, mended.len);
		buf_free(&mended);
	}
	pgpool_run(letter_call(c, got_letter));
}

static void
found(struct asking *a, const char *line, size_t len)
{
	static struct rec r;
	struct call *c = ((struct single *)a)->c;
	const struct rec_member *m;
	struct buf hits = BUF_INIT;

	if (!line || rec_parse(&r, line, len) != REC_OK || rec_get(&r, "error") || !(m = rec_get(&r, "hits"))) {
		problem(c, 503, "no_search", NULL, "the search gave no answer: try again");
		return;
	}
	buf_adds(&hits, "{\"hits\":");
	buf_add(&hits, m->val, m->val_len);
	buf_addc(&hits, '}');
	if (c->route->page) {
		struct page p = page_begin(c);

		page_search(&p, web_param(c->r, "q"), (struct page_text){ hits.p, hits.len });
		page_end(c, 200);
		buf_free(&hits);
	} else {
		web_answer(c->r, 200, "application/json", &hits);
	}
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
	if (share && (end == share || *end || strspn(share, "0123456789.eE+-") != strlen(share) || !(v >= 0 && v <= 1))) {
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

void
view_search(struct call *c)
{
	const char *q = web_param(c->r, "q");
	struct page p;

	if (q && *q) {
		search_get(c);
		return;
	}
	p = page_begin(c);
	page_search(&p, NULL, (struct page_text){ NULL, 0 });
	page_end(c, 200);
}
