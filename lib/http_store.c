#include "http_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"
#include "http_multi.h"

enum {
	CONNECT_MS = 5000,
	TOTAL_MS = 3600 * 1000, /* a gigabyte over a slow line; what stalls ends earlier */
	SLOW = 1024,            /* bytes a second that are no progress */
	ANSWER = 1 << 20        /* bytes of an answer that nobody asked for */
};

/* The sha256 of nothing. */
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct http_store {
	struct http_call k;
	struct cidr_list any;
	struct http_store_call *c;
	size_t from;            /* where c->out began */
	char *key, *secret, sign[96];
	unsigned long stall_s;
};

struct http_store *
http_store_open(const struct http_store_opts *o)
{
	struct http_store *s = mem_zalloc(sizeof *s);

	s->key = mem_dup(o->key, strlen(o->key));
	s->secret = mem_dup(o->secret, strlen(o->secret));
	s->stall_s = o->stall_s ? o->stall_s : 30;
	if (snprintf(s->sign, sizeof s->sign, "aws:amz:%s:s3", o->region) < (int)sizeof s->sign &&
	    cidr_parse(&s->any, "0.0.0.0/0,::/0") == 0 && http_curl() == 0 && (s->k.c = curl_easy_init()))
		return s;
	http_store_free(s);
	errno = ENOMEM;
	return NULL;
}

void
http_store_free(struct http_store *s)
{
	if (!s)
		return;
	if (s->k.c)
		curl_easy_cleanup(s->k.c);
	cidr_free(&s->any);
	free(s->key);
	free(s->secret);
	free(s);
}

static int
take(void *ctx, const void *p, size_t len)
{
	struct http_store *s = ctx;

	if (len > s->c->max - (s->c->out->len - s->from)) {
		s->k.over = true;
		return -1;
	}
	buf_add(s->c->out, p, len);
	return 0;
}

static CURLcode
add(struct curl_slist **headers, const char *name, const char *value)
{
	struct curl_slist *more;
	struct buf line = BUF_INIT;

	buf_addf(&line, "%s: %s", name, value);
	more = curl_slist_append(*headers, buf_str(&line));
	buf_free(&line);
	if (!more)
		return CURLE_OUT_OF_MEMORY;
	*headers = more;
	return CURLE_OK;
}

static CURLcode
headers_of(const struct http_store_call *c, struct curl_slist **headers)
{
	CURLcode e = add(headers, "x-amz-content-sha256", c->sha256 ? c->sha256 : NOTHING);

	if (!e && !strcmp(c->method, "PUT"))
		e = add(headers, "Content-Type", "application/octet-stream");
	if (!e && c->copy_of)
		e = add(headers, "x-amz-copy-source", c->copy_of);
	if (!e && c->copy_of)   /* without it an object is not copied onto itself */
		e = add(headers, "x-amz-metadata-directive", "REPLACE");
	return e;
}

static CURLcode
prepare(struct http_store *s, const struct http_store_call *c, struct curl_slist **headers)
{
	CURLcode e = http_guard(&s->k, CONNECT_MS, TOTAL_MS, "sluice");

#define SET(opt, val) do { if (!e) e = curl_easy_setopt(s->k.c, (opt), (val)); } while (0)
	SET(CURLOPT_NOSIGNAL, 0L);      /* ours are plain filters: libcurl keeps SIGPIPE off while it works */
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW);
	SET(CURLOPT_LOW_SPEED_TIME, (long)s->stall_s);
	SET(CURLOPT_AWS_SIGV4, s->sign);
	SET(CURLOPT_USERNAME, s->key);
	SET(CURLOPT_PASSWORD, s->secret);
	SET(CURLOPT_URL, c->url);
	if (!strcmp(c->method, "PUT")) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->len);
		SET(CURLOPT_POSTFIELDS, c->len ? c->body : "");
	}
	if (!strcmp(c->method, "HEAD"))
		SET(CURLOPT_NOBODY, 1L);
	else
		SET(CURLOPT_CUSTOMREQUEST, c->method);
	if (!e)
		e = headers_of(c, headers);
	SET(CURLOPT_HTTPHEADER, *headers);
#undef SET
	return e;
}

static int64_t
date(struct http_store *s, const char *name)
{
	char text[64] = "";

	http_header(s->k.c, name, text, sizeof text);
	return text[0] ? http_date(text) : 0;
}

int
http_store_do(struct http_store *s, struct http_store_call *c, struct http_result *r)
{
	struct curl_slist *headers = NULL;
	CURLcode e;
	int st;

	s->c = c;
	s->from = c->out ? c->out->len : 0;
	s->k.r = r;
	s->k.allow = &s->any;
	s->k.max = c->max + ANSWER;     /* take() sees to out; what is no 2xx may be longer */
	s->k.sink = c->out ? take : NULL;
	s->k.ctx = s;
	http_begin(&s->k);
	curl_easy_reset(s->k.c);
	if ((e = prepare(s, c, &headers)) == CURLE_OK)
		e = curl_easy_perform(s->k.c);
	st = http_judge(&s->k, e);
	if (s->k.over)
		snprintf(r->message, sizeof r->message, "the body is over %zu bytes", c->max);
	c->date = date(s, "Date");
	c->modified = date(s, "Last-Modified");
	curl_slist_free_all(headers);
	return st;
}
