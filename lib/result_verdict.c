/* What an answer says. */
#include <string.h>

#include "result.h"
#include "stage.h"

enum { GATE_MAX = 128, WAIT_S = 900, WAIT_MAX_S = 366 * 86400 };

/* PostgreSQL's json refuses \u0000, which a record may hold. */
static void
without_nul(struct buf *b)
{
	char *at = b->p;

	while ((at = memmem(at, b->len - (size_t)(at - b->p), "\\u0000", 6)) != NULL) {
		memcpy(at, "\\ufffd", 6);
		at += 6;
	}
}

static void
bad_wait(struct result_verdict *v)
{
	v->verb = "error";
	v->after_ms = 0;
	stage_error_json(&v->error, "bad_wait", false, 0, "the pipeline's \"wait\" needs a \"gate\" of 1 to 128 bytes and, if any, a "
	    "\"timeout_s\" of 1 to 31622400");
}

static void
waiting(struct result_verdict *v, const struct rec_member *wait)
{
	static struct rec w;
	const struct rec_member *timeout;
	uint64_t s = WAIT_S;

	v->verb = "waiting";
	if (wait->type != '{' || rec_parse(&w, wait->val, wait->val_len) != REC_OK ||
	    rec_str(rec_get(&w, "gate"), &v->gate) < 0 || !v->gate.len || v->gate.len > GATE_MAX ||
	    memchr(v->gate.p, '\0', v->gate.len)) {
		bad_wait(v);
		return;
	}
	timeout = rec_get(&w, "timeout_s");
	if (timeout && (rec_u64(timeout, &s) < 0 || !s || s > WAIT_MAX_S))
		bad_wait(v);
	else
		v->after_ms = s * 1000;
}

void
result_verdict(struct result_verdict *v, const struct rec *answer)
{
	const struct rec_member *error = rec_get(answer, "error"), *wait = rec_get(answer, "wait");
	static struct rec e;

	v->verb = error ? "error" : "completed";
	v->retry = false;
	v->after_ms = 0;
	v->error.len = v->gate.len = 0;
	if (error && (error->type != '{' || rec_parse(&e, error->val, error->val_len) != REC_OK))
		stage_error_json(&v->error, "bad_error", false, 0, "the pipeline's \"error\" is no object");
	else if (error) {
		rec_bool(rec_get(&e, "retry"), &v->retry);
		rec_u64(rec_get(&e, "after_ms"), &v->after_ms);
		buf_add(&v->error, error->val, error->val_len);
		without_nul(&v->error);
		if (v->after_ms > UINT32_MAX)
			v->after_ms = UINT32_MAX;
	} else if (wait)
		waiting(v, wait);
}
