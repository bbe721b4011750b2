/* param.c - parameters, parts of the path and bodies, checked. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/parse.h"
#include "json.h"
#include "words.h"

int
param_number(struct call *c, const char *name, int64_t fallback, int64_t lo, int64_t hi, int64_t *v)
{
	const char *s = web_param(c->r, name);
	size_t n = s ? strspn(s, "0123456789") : 0;

	*v = fallback;
	if (!s)
		return 0;
	*v = n && n < 19 && !s[n] ? strtoll(s, NULL, 10) : -1;
	if (*v >= lo && *v <= hi)
		return 0;
	problem(c, 400, "bad_parameter", name, "%s must be a number from %lld to %lld", name, (long long)lo, (long long)hi);
	return -1;
}

int
param_among(struct call *c, const char *name, const char *words, const char **v)
{
	const char *s = web_param(c->r, name);

	*v = s;
	if (!s || words_have(words, " ", s, strlen(s)))
		return 0;
	problem(c, 400, "bad_parameter", name, "%s must be one of:%s", name, words);
	return -1;
}

int
param_time(struct call *c, const char *name, const char **v)
{
	const char *s = web_param(c->r, name);

	*v = s;
	if (!s || parse_time(s))
		return 0;
	problem(c, 400, "bad_parameter", name, "%s must be a time such as 2026-11-30T01:02:03Z", name);
	return -1;
}

int
param_bool(struct call *c, const char *name, bool *v)
{
	const char *s;

	*v = false;
	if (param_among(c, name, " true false ", &s) < 0)
		return -1;
	*v = s && *s == 't';
	return 0;
}

bool
is_job_id(const char *p, size_t len)
{
	return len && len <= ID_MAX && strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == len;
}

bool
part_is_id(struct call *c)
{
	if (is_job_id(c->part.p, c->part.len))
		return true;
	problem(c, 400, "bad_job_id", "id", "a job's id has 1 to %d of A-Za-z0-9._:-", ID_MAX);
	return false;
}

bool
part_is_number(struct call *c)
{
	size_t n = strspn(c->part.p, "0123456789");

	if (n == c->part.len && n < 19) {
		c->number = strtoll(c->part.p, NULL, 10);
		return true;
	}
	problem(c, 400, "bad_number", "no", "a dead letter has a number");
	return false;
}

const char *
call_tenant(const struct call *c)
{
	return c->tenant ? c->tenant : api.tenant;
}

bool
body_object(struct call *c, struct rec *r)
{
	struct json_fault f;
	enum rec_status st;

	if (!c->r->body.len)
		buf_adds(&c->r->body, "{}");
	if (json_check(c->r->body.p, c->r->body.len, &f) < 0) {
		problem(c, 400, f.code, NULL, "the body is no JSON: %s at byte %zu", f.what, f.at);
		return false;
	}
	st = rec_parse(r, c->r->body.p, c->r->body.len);
	if (st != REC_OK)
		problem(c, 400, rec_code(st), NULL, "the body must be an object: %s", rec_reason(st));
	return st == REC_OK;
}
