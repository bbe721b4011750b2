/* pages.c - what all pages share: who looks, what they may, files, signing in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/api.h"
#include "api/parse.h"
#include "api/views.h"
#include "percent.h"

static int64_t
wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct page
page_begin(struct call *c)
{
	const char *did = web_param(c->r, "did");
	struct page p = { .out = &c->out, .now_us = wall_us(), .said = did ? page_said(did) : NULL, .stage = web_param(c->r, "stage") };
	unsigned s = c->who.scopes;

	c->out.len = 0;
	if (!*c->who.tenant)
		return p;
	p.who = c->who.id ? c->who.name : NULL;
	p.tenant = c->who.tenant;
	p.asked = c->tenant && strcmp(p.tenant, "*") == 0 ? c->tenant : NULL;
	p.usual = api.tenant;
	p.may = (s & SCOPE_WRITE ? PAGE_MAY_WRITE : 0) | (s & SCOPE_DEAD ? PAGE_MAY_FEED : 0) | (s & SCOPE_SEARCH ? PAGE_MAY_SEARCH : 0);
	return p;
}

void
page_end(struct call *c, unsigned status)
{
	web_add(c->r, "Content-Security-Policy", PAGE_CSP);
	web_add(c->r, "Referrer-Policy", "same-origin");
	web_answer(c->r, status, "text/html; charset=utf-8", &c->out);
}

/* The page that has the form of this action, or "". */
static void
page_before(const struct call *c, struct buf *path)
{
	bool job = c->route && !strncmp(c->route->path, "/ui/jobs/{", 10);

	buf_str(path);
	if (!c->route || strcmp(c->route->method, "POST") != 0 || !c->part.len || (!job && strncmp(c->route->path, "/ui/dead/{", 10) != 0))
		return;
	buf_adds(path, job ? "/ui/jobs/" : "/ui/dead/");
	percent_encode(path, c->part.p, c->part.len);
	if (web_param(c->r, "tenant")) {
		buf_adds(path, "?tenant=");
		percent_encode(path, web_param(c->r, "tenant"), strlen(web_param(c->r, "tenant")));
	}
	buf_str(path);
}

void
page_of_problem(struct call *c, unsigned status, const char *title, const char *detail)
{
	struct page p = page_begin(c);
	struct buf back = BUF_INIT;

	if (status != 404)      /* then there is no page to go back to, either */
		page_before(c, &back);
	page_problem(&p, status, title, detail, c->r->id, back.len ? back.p : NULL);
	page_end(c, status);
	buf_free(&back);
}

void
page_of_sign_in(struct call *c, unsigned status, const char *message)
{
	struct page p = page_begin(c);
	struct buf next = BUF_INIT;

	if (!web_param(c->r, "next"))
		form_field(c, "next", &next);
	page_sign_in(&p, message, web_param(c->r, "next") ? web_param(c->r, "next") : next.len ? next.p : NULL);
	page_end(c, status);
	buf_free(&next);
}

void
view_sign_in(struct call *c)
{
	page_of_sign_in(c, 200, NULL);
}

static void
set_cookie(struct call *c, const char *token, const char *more)
{
	const char *proxy = web_header(c->r, "X-Forwarded-Proto");
	bool secure = c->r->secure || (proxy && strcasecmp(proxy, "https") == 0);
	struct buf b = BUF_INIT;

	buf_addf(&b, "sluice=%s; Path=/; HttpOnly; SameSite=Strict%s%s", token, secure ? "; Secure" : "", more);
	web_add(c->r, "Set-Cookie", buf_str(&b));
	buf_free(&b);
}

/* The form's token without the blanks that pasting leaves around it. */
static void
form_token(const struct call *c, struct buf *token)
{
	form_field(c, "token", token);
	while (token->len && strchr(" \t\r\n", token->p[token->len - 1]))
		token->len--;
	buf_shift(token, strspn(buf_str(token), " \t\r\n"));
	buf_str(token);
}

static void
signed_in(struct call *c)
{
	struct buf token = BUF_INIT, next = BUF_INIT;

	form_token(c, &token);
	form_field(c, "next", &next);
	set_cookie(c, token.p, "");
	see(c, parse_our_path(next.p) ? next.p : "/", "signed-in");
	buf_free(&token);
	buf_free(&next);
}

void
session_begin(struct call *c)
{
	struct buf token = BUF_INIT;
	size_t n;

	form_token(c, &token);
	n = strspn(token.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	if (!n || n != token.len || n > 200)
		page_of_sign_in(c, 401, token.len ? "This is no token of Sluice." : "A token is needed: sluice token add makes one.");
	else
		auth_token(c, token.p, token.len, signed_in);
	buf_free(&token);
}

void
session_end(struct call *c)
{
	set_cookie(c, "", "; Max-Age=0");
	see(c, "/ui/sign-in", "signed-out");
}

void
asset_get(struct call *c)
{
	const struct page_asset *a = page_asset(c->r->path);
	const char *known = web_header(c->r, "If-None-Match");

	if (!a) {
		problem(c, 404, "no_path", NULL, "this build has no such file");
		return;
	}
	web_add(c->r, "Cache-Control", "no-cache");
	web_add(c->r, "ETag", a->etag);
	if (known && strstr(known, a->etag))
		web_answer(c->r, 304, NULL, NULL);
	else
		web_static(c->r, 200, a->type, a->p, a->len);
}
