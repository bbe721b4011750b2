/* outcome.c - what the intake's answer is over HTTP. */
#include "api/submit.h"

#include <inttypes.h>
#include <string.h>

#include "api/crashes.h"
#include "json.h"

static void
text(const struct rec *r, const char *name, struct buf *b)
{
	b->len = 0;
	rec_str(rec_get(r, name), b);
	buf_str(b);
}

/* The intake died of it. */
static unsigned
died(struct buf *out, const struct asked_for *request, const char *message, bool retry)
{
	static struct buf detail;
	bool final = !retry || crashes_again(call_tenant(request->c), request->p, request->len);

	detail.len = 0;
	buf_adds(&detail, final ? "the intake dies of this request, and not of others: do not send it again as it is; the log of the service door says more"
	                        : "the intake died, of this request or of something else: try again");
	buf_addf(&detail, " (%s)", message);
	problem_json(out, final ? 422 : 503, "crashed", NULL, buf_str(&detail));
	return final ? 422 : 503;
}

/* It is neither a job nor a duplicate of one. */
static unsigned
refused(struct buf *out, const struct asked_for *request, const struct rec *a, const char *outcome)
{
	static struct buf code, message, member;
	unsigned status = 422;
	bool retry = false;

	text(a, "code", &code);
	text(a, "message", &message);
	text(a, "member", &member);
	rec_bool(rec_get(a, "retry"), &retry);
	if (strcmp(code.p, "crashed") == 0)
		return died(out, request, message.p, retry);
	if (retry)
		status = 503;
	else if (strcmp(code.p, "no_dead_letter") == 0)
		status = 404;
	else if (strcmp(outcome, "conflict") == 0 || strcmp(outcome, "refused") == 0)
		status = 409;
	problem_json(out, status, code.len ? code.p : "refused", member.len ? member.p : NULL,
	    message.len ? message.p : "the intake refuses it");
	return status;
}

static unsigned
accepted(struct buf *out, const struct rec *r, const struct rec *a, bool again, struct buf *location)
{
	static struct buf asked, of, tenant, code;
	const struct buf *job = &asked;
	uint64_t no;

	text(r, "job_id", &asked);
	text(r, "tenant", &tenant);
	text(a, "of", &of);
	text(a, "code", &code);
	/* A dead letter that was fed before: of is a sentence, not a job. */
	if (again && strcmp(code.p, "superseded") == 0) {
		problem_json(out, 409, code.p, NULL, of.p);
		return 409;
	}
	if (again && of.len)
		job = &of;
	buf_adds(out, "{\"job_id\":");
	json_quote(out, job->p, job->len);
	if (tenant.len) {
		buf_adds(out, ",\"tenant\":");
		json_quote(out, tenant.p, tenant.len);
	}
	buf_addf(out, ",\"outcome\":\"%s\"", again ? "duplicate" : "job");
	if (!again)
		buf_adds(out, ",\"status\":\"queued\"");
	if (rec_u64(rec_get(a, "no"), &no) == 0)
		buf_addf(out, ",\"no\":%" PRIu64, no);
	buf_addc(out, '}');
	buf_adds(location, "/v1/jobs/");
	buf_add(location, job->p, job->len);
	buf_str(location);
	return again ? 200 : 202;
}

unsigned
outcome_json(struct buf *out, const struct asked_for *request, const char *line, size_t len, struct buf *location)
{
	static struct rec r, a;
	static struct buf outcome;
	const struct rec_member *m;

	location->len = 0;
	if (line && rec_parse(&r, line, len) == REC_OK && (m = rec_get(&r, "admit")) &&
	    rec_parse(&a, m->val, m->val_len) == REC_OK) {
		text(&a, "outcome", &outcome);
		if (strcmp(outcome.p, "job") != 0 && strcmp(outcome.p, "duplicate") != 0)
			return refused(out, request, &a, outcome.p);
		if (*outcome.p == 'j')
			crashes_admitted();
		return accepted(out, &r, &a, *outcome.p == 'd', location);
	}
	problem_json(out, 503, "no_answer", NULL, "what became of the request is not known: send it again with the same job_id or "
	    "Idempotency-Key, it is not done twice");
	return 503;
}
