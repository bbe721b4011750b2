#include "http_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A server may ask for any delay; nobody waits for longer than this. */
enum {
	AFTER_MAX_S = 24 * 3600,
	REFUSAL_MAX = 64 << 10  /* bytes that are kept of a body that is no 2xx */
};

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_call *k = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN || !cidr_allowed(k->allow, &a->addr)) {
		k->refused = true;
		return CURL_SOCKET_BAD;
	}
	curl_easy_getinfo(k->c, CURLINFO_REDIRECT_COUNT, &k->allowed_at);
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
body(char *p, size_t size, size_t n, void *ctx)
{
	struct http_call *k = ctx;
	long status = 0;

	n *= size;
	if (n > k->max - k->got) {
		k->over = true;
		return 0;
	}
	k->got += n;
	curl_easy_getinfo(k->c, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299) {
		buf_add(&k->r->body, p, k->got <= REFUSAL_MAX ? n : 0);
	} else if (!k->sink) {
		buf_add(&k->r->body, p, n);
	} else if (k->sink(k->ctx, p, n) < 0) {
		k->sunk = true;
		return 0;
	}
	return n;
}

static char *
dup_string(const char *s)
{
	return mem_dup(s, strlen(s));
}

static void *
zero_array(size_t n, size_t size)
{
	return memset(mem_array(NULL, n, size), 0, n * size);
}

int
http_curl(void)
{
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, free, mem_realloc, dup_string, zero_array) == CURLE_OK)
		return 0;
	errno = ENOMEM;
	return -1;
}

CURLcode
http_guard(struct http_call *k, unsigned long connect_ms, unsigned long total_ms, const char *agent)
{
	CURLcode e = CURLE_OK;

#define SET(opt, val) do { if (!e) e = curl_easy_setopt(k->c, (opt), (val)); } while (0)
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, (void *)k);
	SET(CURLOPT_WRITEFUNCTION, body);
	SET(CURLOPT_WRITEDATA, (void *)k);
	SET(CURLOPT_ERRORBUFFER, k->error);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)total_ms);
	SET(CURLOPT_ACCEPT_ENCODING, "");
	SET(CURLOPT_PROXY, "");         /* a proxy would resolve the name itself */
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_USERAGENT, agent);
#undef SET
	return e;
}

void
http_begin(struct http_call *k)
{
	struct http_result *r = k->r;

	k->refused = k->over = k->sunk = false;
	k->allowed_at = -1;
	k->got = 0;
	k->error[0] = 0;
	r->status = 0;
	r->body.len = 0;
	r->code = NULL;
	r->message[0] = r->type[0] = r->url[0] = 0;
	r->retry = false;
	r->after_ms = 0;
	r->forget = false;
}

int
http_fail(struct http_result *r, const char *code, bool retry, const char *why)
{
	r->code = code;
	r->retry = retry;
	snprintf(r->message, sizeof r->message, "%s", why);
	return -1;
}

static int
gave_up(struct http_call *k, CURLcode e)
{
	struct http_result *r = k->r;
	const char *why = k->error[0] ? k->error : curl_easy_strerror(e);
	long redirects = 0;
	char tmp[512];

	if (k->over || e == CURLE_FILESIZE_EXCEEDED) {
		snprintf(tmp, sizeof tmp, "the body is over %zu bytes", k->max);
		return http_fail(r, "too_large", false, tmp);
	}
	if (k->sunk)
		return http_fail(r, "store_failed", true, "what came could not be stored");
	if (e == CURLE_UNSUPPORTED_PROTOCOL && strstr(why, "HTTP/0.9"))
		e = CURLE_WEIRD_SERVER_REPLY;   /* what came is no HTTP */
	switch (e) {
	case CURLE_URL_MALFORMAT:
		return http_fail(r, "bad_url", false, why);
	case CURLE_UNSUPPORTED_PROTOCOL:
		return http_fail(r, "url_refused", false, "only http and https are allowed");
	case CURLE_TOO_MANY_REDIRECTS:
		return http_fail(r, "too_many_redirects", false, why);
	case CURLE_OPERATION_TIMEDOUT:
		return http_fail(r, "fetch_timeout", true, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return http_fail(r, "fetch_failed", false, why);
	default:
		/* One of a name's addresses may be refused and another one be down. */
		curl_easy_getinfo(k->c, CURLINFO_REDIRECT_COUNT, &redirects);
		if (k->refused && k->allowed_at != redirects)
			return http_fail(r, "url_refused", false, "the address is not public and not in SLUICE_HTTP_ALLOW");
		return http_fail(r, "fetch_failed", true, why);
	}
}

/* 520 to 524: a proxy of Cloudflare's did not reach the server behind it. */
static bool
may_come_right(long s)
{
	return s == 408 || s == 425 || s == 429 || s == 500 || s == 502 || s == 503 || s == 504 || (s >= 520 && s <= 524);
}

static int
judge_status(struct http_result *r, curl_off_t after_s)
{
	long s = r->status;
	char tmp[64];

	if (s >= 200 && s <= 299)
		return 0;
	if (after_s > AFTER_MAX_S)
		after_s = AFTER_MAX_S;
	snprintf(tmp, sizeof tmp, "the server answered %ld", s);
	http_fail(r, "http_status", may_come_right(s), tmp);
	if (r->retry && after_s > 0)
		r->after_ms = (unsigned long)after_s * 1000;
	return -1;
}

int
http_judge(struct http_call *k, CURLcode e)
{
	struct http_result *r = k->r;
	const char *type = NULL;
	curl_off_t after_s = 0;

	if (e != CURLE_OK)
		return gave_up(k, e);
	curl_easy_getinfo(k->c, CURLINFO_RESPONSE_CODE, &r->status);
	if (curl_easy_getinfo(k->c, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		snprintf(r->type, sizeof r->type, "%s", type);
	curl_easy_getinfo(k->c, CURLINFO_RETRY_AFTER, &after_s);
	return judge_status(r, after_s);
}
