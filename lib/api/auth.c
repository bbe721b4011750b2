/* auth.c - who asks: tokens, what they allow, how fast they may ask. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/known.h"
#include "api/site.h"
#include "b64.h"
#include "now.h"
#include "percent.h"
#include "request.h"

enum {
	FRESH_MS = 1000,        /* a token that was revoked is good for so long */
	TOKEN_MAX = 200
};

struct lookup {
	struct call *c;
	void (*then)(struct call *c);
	unsigned char hash[32];
};

static const char *const scope_names[] = { "jobs:read", "jobs:write", "dead:write", "search:read", "admin", NULL };

/* c->tenant: whose jobs; a token for all may name one. */
static bool
tenant_good(struct call *c)
{
	const char *asked = web_param(c->r, "tenant");

	if (asked && !request_tenant_ok(asked, strlen(asked))) {
		problem(c, 400, "bad_parameter", "tenant", "a tenant's name has 1 to 64 of A-Za-z0-9._-");
		return false;
	}
	if (strcmp(c->who.tenant, "*") == 0) {
		c->tenant = asked;
		return true;
	}
	c->tenant = c->who.tenant;
	if (!asked || strcmp(asked, c->tenant) == 0)
		return true;
	problem(c, 403, "other_tenant", "tenant", "the token is for tenant %s", c->tenant);
	return false;
}

static bool
allowed(struct call *c)
{
	if ((c->who.scopes & c->route->scope) == c->route->scope)
		return tenant_good(c);
	for (int i = 0; scope_names[i]; i++)
		if (c->route->scope & ~c->who.scopes & 1u << i) {
			problem(c, 403, "scope", NULL, "the token lacks the scope %s", scope_names[i]);
			break;
		}
	return false;
}

static bool
in_time(struct call *c, struct known *k)
{
	int64_t now = now_ms();
	char wait[24];

	if (c->who.rate <= 0)
		return true;
	k->left += (double)(now - k->left_at) / 1000 * c->who.rate;
	if (k->left > c->who.burst || !k->left_at)
		k->left = c->who.burst;
	k->left_at = now;
	if (k->left >= 1) {
		k->left -= 1;
		return true;
	}
	snprintf(wait, sizeof(wait), "%.0f", ceil((1 - k->left) / c->who.rate));
	web_add(c->r, "Retry-After", wait);
	problem(c, 429, "rate", NULL, "this token may make %d requests a second", c->who.rate);
	return false;
}

/* To the form, and from there to where it wanted to go. */
static void
sign_in_first(struct call *c)
{
	struct buf to = BUF_INIT, next = BUF_INIT;

	buf_adds(&to, "/ui/sign-in");
	buf_adds(&next, c->r->path);
	for (int i = 0; i < c->r->nparams; i++) {
		buf_addc(&next, i ? '&' : '?');
		percent_encode(&next, c->r->param[i].name, strlen(c->r->param[i].name));
		buf_addc(&next, '=');
		percent_encode(&next, c->r->param[i].value, strlen(c->r->param[i].value));
	}
	if (!site_changes(c) && strcmp(buf_str(&next), "/") != 0) {
		buf_adds(&to, "?next=");
		percent_encode(&to, next.p, next.len);
	}
	see(c, buf_str(&to), NULL);
	buf_free(&to);
	buf_free(&next);
}

static void
no_token(struct call *c, const char *code, const char *why)
{
	if (!c->route->page) {
		problem(c, 401, code, "Authorization", "%s", why);
		return;
	}
	if (c->route->run == session_begin)
		page_of_sign_in(c, 401, "This token is unknown, revoked or expired.");
	else
		sign_in_first(c);
}

static void
go_on(struct call *c, struct known *k, void (*then)(struct call *c))
{
	c->who = k->who;
	k->used_at = now_ms();
	if (in_time(c, k) && allowed(c))
		then(c);
}

static unsigned
scopes_of(const char *names, size_t len)
{
	unsigned scopes = 0;

	for (int i = 0; scope_names[i]; i++)
		if (memmem(names, len, scope_names[i], strlen(scope_names[i])))
			scopes |= 1u << i;
	return scopes & SCOPE_ADMIN ? SCOPE_ALL : scopes;
}

static void
found(void *ctx, enum pg_status st, struct pg *db)
{
	struct lookup l = *(struct lookup *)ctx;
	struct known *k;
	const char *p;
	size_t len;

	free(ctx);
	if (st != PG_OK) {
		problem_db(l.c, st, db);
		return;
	}
	k = known_place(l.hash);
	if (pg_rows(db) == 0) {
		memset(k, 0, sizeof(*k));
		no_token(l.c, "bad_token", "the token is unknown, revoked or expired");
		return;
	}
	k->asked_at = now_ms();
	k->who.id = pg_i64(db, 0, 0);
	snprintf(k->who.tenant, sizeof(k->who.tenant), "%s", pg_bytes(db, 0, 1, NULL));
	snprintf(k->who.name, sizeof(k->who.name), "%s", pg_bytes(db, 0, 2, NULL));
	p = pg_bytes(db, 0, 3, &len);
	k->who.scopes = scopes_of(p, len);
	k->who.rate = (int)pg_i64(db, 0, 4);
	k->who.burst = (int)pg_i64(db, 0, 5);
	go_on(l.c, k, l.then);
}

void
auth_token(struct call *c, const char *token, size_t len, void (*then)(struct call *c))
{
	struct lookup *l;
	struct pgcall *q;
	struct known *k;
	unsigned char hash[32];

	sha256_raw(token, len, hash);
	k = known_place(hash);
	if (k->asked_at && now_ms() - k->asked_at < FRESH_MS) {
		go_on(c, k, then);
		return;
	}
	l = mem_zalloc(sizeof(*l));
	l->c = c;
	l->then = then;
	memcpy(l->hash, hash, sizeof(hash));
	q = pgpool_call(api_quick, "select id::bigint, tenant, name, array_to_string(scopes, ' '), coalesce(rate, 0)::bigint, "
	    "coalesce(burst, 0)::bigint from sluice.token_of($1)", found, l);
	pg_put(&q->args, pg_scalar(&q->args, PG_BYTEA), hash, sizeof(hash));
	pgpool_run(q);
}

void
auth(struct call *c, void (*then)(struct call *c))
{
	const char *header = web_header(c->r, "Authorization"), *token;
	size_t len = 0;

	if (c->route->scope == SCOPE_NONE) {
		if (site_changes(c) && !site_same(c, false))
			problem(c, 403, "cross_site", NULL, "this request comes from another site's page");
		else
			then(c);
		return;
	}
	token = known_token(c->r, &len);
	c->by_cookie = token && !header;
	if (!token && !header && site_open(c->r)) {
		if (site_changes(c) && !site_same(c, false)) {
			problem(c, 403, "cross_site", NULL, "this request comes from another site's page");
			return;
		}
		c->who = (struct who){ .tenant = "*", .name = "open", .scopes = SCOPE_ALL };
		if (tenant_good(c))
			then(c);
		return;
	}
	if (!len || len > TOKEN_MAX)
		no_token(c, "no_token", header ? "Authorization takes the form: Bearer TOKEN" : "send Authorization: Bearer TOKEN; sluice token add makes one");
	else if (c->by_cookie && site_changes(c) && !site_same(c, true))
		problem(c, 403, "cross_site", NULL, "this request comes from another site's page");
	else
		auth_token(c, token, len, then);
}

