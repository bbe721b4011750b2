/* request.c - what a client sends becomes a line for the intake: on one line, of its
 * token's tenant, with an id and its caller's trace. */
#include "api/submit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "api/parse.h"
#include "b64.h"
#include "err.h"
#include "json.h"
#include "request.h"

/* A name for a request that brings none: the same for the same Idempotency-Key. */
static void
make_id(const char *tenant, const char *key, size_t index, char id[40])
{
	unsigned char raw[32];
	struct buf b = BUF_INIT;

	if (key) {
		buf_addf(&b, "%s%c%s%c%zu", tenant, 0, key, 0, index);
		sha256_raw(b.p, b.len, raw);
		buf_free(&b);
	} else if (getrandom(raw, sizeof(raw), 0) != sizeof(raw)) {
		die_sys(XTEMP, "random bytes");
	}
	memcpy(id, key ? "key-" : "api-", 4);
	for (int i = 0; i < 16; i++)
		snprintf(id + 4 + 2 * i, 3, "%02x", raw[i]);
}

/* The tenant of the line: the token's, and no other's. */
static bool
tenant_of(const struct call *c, const struct rec *r, struct buf *tenant, struct fault *f)
{
	const struct rec_member *m = rec_get(r, "tenant");

	tenant->len = 0;
	if (!m)
		m = rec_get(r, "tenant_id");
	if (m && m->type != 'n' && (rec_str(m, tenant) < 0 || memchr(tenant->p ? tenant->p : "", 0, tenant->len))) {
		*f = (struct fault){ 422, "bad_request", "/tenant", "tenant must be a string" };
		return false;
	}
	if (!tenant->len)
		buf_adds(tenant, call_tenant(c));
	buf_str(tenant);
	if (!c->tenant || strcmp(tenant->p, c->tenant) == 0)
		return true;
	*f = (struct fault){ 403, "other_tenant", "/tenant", "the token is for another tenant" };
	return false;
}

/* Members that tell the intake what Kafka or an operator said are not a client's to send:
 * "refeed" and "supersedes" are another scope's, and know no tenants. */
static bool
only_theirs(const struct rec *r, struct fault *f)
{
	static struct buf member;

	for (size_t i = 0; i < r->n; i++) {
		if (!request_reserved(&r->m[i]) && !rec_named(&r->m[i], "refeed"))
			continue;
		member.len = 0;
		buf_addf(&member, "/%.*s", (int)r->m[i].key_len, r->m[i].key);
		*f = (struct fault){ 422, "reserved", buf_str(&member), "this member belongs to the stages" };
		return false;
	}
	return true;
}

bool
request_line(const struct call *c, const char *p, size_t len, size_t index, struct buf *line, struct fault *f)
{
	static struct rec r;
	static struct buf flat, tenant, quoted[3];
	static struct json_fault jf;
	static char text[sizeof(jf.what) + 32];
	struct rec_change change[3];
	const char *trace = web_header(c->r, "traceparent"), *key = web_header(c->r, "Idempotency-Key");
	char id[40];
	size_t n = 0;

	line->len = flat.len = 0;
	if (json_check(p, len, &jf) < 0) {
		snprintf(text, sizeof(text), "%s at byte %zu", jf.what, jf.at);
		*f = (struct fault){ 400, jf.code, NULL, text };
		return false;
	}
	buf_add(&flat, p, len);
	for (size_t i = 0; i < len; i++)
		if (flat.p[i] == '\n' || flat.p[i] == '\r')
			flat.p[i] = ' ';
	if (rec_parse(&r, flat.p, flat.len) != REC_OK) {
		*f = (struct fault){ 422, "not_object", "", "a request is one JSON object; send many as application/x-ndjson, one a line" };
		return false;
	}
	if (!only_theirs(&r, f) || !tenant_of(c, &r, &tenant, f))
		return false;
	change[n++] = (struct rec_change){ .name = "tenant" };
	json_quote((quoted[0].len = 0, &quoted[0]), tenant.p, tenant.len);
	if (!rec_get(&r, "job_id")) {
		make_id(tenant.p, key, index, id);
		change[n] = (struct rec_change){ .name = "job_id" };
		json_quotes((quoted[n].len = 0, &quoted[n]), id);
		n++;
	}
	if (trace && parse_traceparent(trace) && !rec_get(&r, "trace")) {
		change[n] = (struct rec_change){ .name = "trace" };
		json_quotes((quoted[n].len = 0, &quoted[n]), trace);
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		change[i].val = quoted[i].p;
		change[i].len = quoted[i].len;
	}
	rec_edit(line, &r, change, n);
	return true;
}
