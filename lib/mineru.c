#include "mineru.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "now.h"

enum {
	SENDS = 4,              /* of one document, to all servers together */
	MISSES = 3,             /* questions in a row that a server may fail to answer */
	PENDING = 10            /* so many limits a document may wait in a server's queue */
};

static void asked(void *ctx, struct http_result *r);

static void
note(struct mineru_doc *d, const char *code, bool retry, unsigned long after_ms, const char *why)
{
	snprintf(d->message, sizeof d->message, "%s", why);
	d->code = code;
	d->retry = retry;
	d->after_ms = after_ms;
}

void
mineru_fail(struct mineru_doc *d, const char *code, bool retry, unsigned long after_ms, const char *fmt, ...)
{
	char why[sizeof d->message];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	note(d, code, retry, after_ms, why);
	buf_free(&d->pdf);
	d->done(d->ctx, d);
}

void
mineru_start(struct mineru *m, struct mineru_doc *d)
{
	d->m = m;
	d->code = NULL;
	d->tried = d->sent = d->misses = 0;
	d->after_ms = 0;
	d->blocks.len = d->engine.len = 0;
	mineru_choose(m, d);
}

/* Another server, or the same one where again is true; what was noted is the answer when there is none. */
static void
elsewhere(struct mineru_doc *d, bool again)
{
	if (!again)
		d->tried |= 1u << (d->s - d->m->server);
	if (d->sent < SENDS) {
		mineru_choose(d->m, d);
	} else {
		buf_free(&d->pdf);
		d->done(d->ctx, d);
	}
}

/* A server's refusal or failure becomes d's: to be tried elsewhere where that may help. */
static void
refused(struct mineru_doc *d, struct http_result *r)
{
	static struct buf said;
	char why[600];
	/* No MinerU, or not at this URL: the setting is wrong, not the document. */
	bool none = r->status == 404 || r->status == 405;

	said.len = 0;
	mineru_read_error(&said, r->body.p, r->body.len, 200);
	snprintf(why, sizeof why, "%.200s: %.150s%s%s", d->s->base, r->message, said.len ? ": " : "", buf_str(&said));
	if (r->status == 409)
		mineru_fail(d, "mineru_failed", true, 0, "%s", why);
	else if (r->status == 401 || r->status == 403)
		mineru_fail(d, "key_refused", false, 0, "%s", why);
	else if (r->status >= 400 && !r->retry && !none)
		mineru_fail(d, "mineru_refused", false, 0, "%s", why);
	else if (!r->retry && !none)
		mineru_fail(d, r->code, false, 0, "%s", why);
	else {
		note(d, r->code, true, r->after_ms, why);
		elsewhere(d, false);
	}
}

static void
nonsense(struct mineru_doc *d, const char *what)
{
	char why[400];

	snprintf(why, sizeof why, "%.256s: %s", d->s->base, what);
	note(d, "bad_answer", true, 0, why);
	elsewhere(d, false);
}

static bool
is_json(const struct http_result *r)
{
	return strncmp(r->type, "application/json", 16) == 0;
}

void
mineru_accepted(void *ctx, struct http_result *r)
{
	struct mineru_doc *d = ctx;

	if (r->status == 404 || r->status == 405) {
		d->s->simple = true;
		d->sent--;
		mineru_send(d);
		return;
	}
	if (r->code) {
		refused(d, r);
		return;
	}
	if (!is_json(r) || mineru_read_task(&d->task, r->body.p, r->body.len) < 0) {
		nonsense(d, "what it says of a new task can't be read");
		return;
	}
	buf_free(&d->pdf);
	d->begun = now_ms();
	d->deadline = d->begun + (int64_t)d->m->limit_s * 1000;
	mineru_look(d, "", asked, d->m->look_ms);
}

static void
late(struct mineru_doc *d)
{
	mineru_fail(d, "timeout", true, 0, "%s: not done in %lu s", d->s->base, d->m->limit_s);
}

/* The server is gone for a moment, or for longer, or has forgotten the task. */
static void
missed(struct mineru_doc *d, struct http_result *r, const char *what, void (*again)(void *, struct http_result *))
{
	if (r->status == 404 || r->status == 410) {
		note(d, "task_lost", true, 0, "the server has lost the task again and again");
		elsewhere(d, true);
	} else if (r->code && r->retry && now_ms() >= d->deadline) {
		late(d);
	} else if (r->code && r->retry && ++d->misses <= MISSES) {
		mineru_look(d, what, again, r->after_ms > d->m->look_ms ? r->after_ms : d->m->look_ms);
	} else {
		refused(d, r);
	}
}

static void
asked(void *ctx, struct http_result *r)
{
	struct mineru_doc *d = ctx;
	int64_t now = now_ms(), limit = (int64_t)d->m->limit_s * 1000;
	struct mineru_task t;
	static struct buf said;

	if (r->code) {
		missed(d, r, "", asked);
		return;
	}
	if (!is_json(r) || mineru_read_task(&t, r->body.p, r->body.len) < 0 || strcmp(t.id, d->task.id) != 0) {
		nonsense(d, "what it says of a task can't be read");
		return;
	}
	d->misses = 0;
	if (t.state == MINERU_PENDING && now + limit <= d->begun + PENDING * limit)
		d->deadline = now + limit;
	if (t.state == MINERU_COMPLETED) {
		mineru_look(d, "/result", mineru_finished, 0);
	} else if (t.state == MINERU_FAILED) {
		said.len = 0;
		mineru_read_error(&said, r->body.p, r->body.len, 300);
		mineru_fail(d, "mineru_failed", true, 0, "%s: %s", d->s->base, buf_str(&said));
	} else if (now >= d->deadline) {
		late(d);
	} else {
		mineru_look(d, "", asked, d->m->look_ms);
	}
}

void
mineru_finished(void *ctx, struct http_result *r)
{
	struct mineru_doc *d = ctx;
	const char *why;

	if (r->code && strcmp(r->code, "too_large") == 0) {
		mineru_fail(d, "too_large", false, 0, "%s: the result: %s", d->s->base, r->message);
	} else if (r->code && !d->simple) {
		missed(d, r, "/result", mineru_finished);
	} else if (r->code) {
		refused(d, r);
	} else if (r->status == 202 && !d->simple) {
		if (now_ms() >= d->deadline)
			late(d);
		else
			mineru_look(d, "", asked, d->m->look_ms);
	} else if (!is_json(r)) {
		nonsense(d, "the result is no JSON");
	} else if ((why = mineru_read_result(&d->blocks, &d->engine, r->body.p, r->body.len))) {
		nonsense(d, why);
	} else {
		buf_free(&d->pdf);
		d->done(d->ctx, d);
	}
}
