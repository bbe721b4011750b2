#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cidr.h"
#include "http.h"

struct http {
	CURL *c;
	struct cidr_list allow;
	size_t max;
	unsigned redirects;
	unsigned long connect_ms, total_ms;
	/* of the call in progress */
	struct http_result *r;
	bool refused, over;
	char error[CURL_ERROR_SIZE];
};

/* A server may ask for any delay; nobody waits for longer than this. */
enum { AFTER_MAX_S = 24 * 3600 };

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http *h = ctx;

	if (purpose != CURLSOCKTYPE_IPCXN || !cidr_allowed(&h->allow, &a->addr)) {
		h->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
body(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	n *= size;
	if (n > h->max - h->r->body.len) {
		h->over = true;
		return 0;
	}
	buf_add(&h->r->body, p, n);
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

struct http *
http_open(const struct http_opts *o)
{
	struct http *h = mem_zalloc(sizeof *h);
	CURLcode e = CURLE_OK;

	h->max = o->max ? o->max : (size_t)16 << 20;
	h->redirects = o->redirects ? o->redirects : 5;
	h->connect_ms = o->connect_ms ? o->connect_ms : 10000;
	h->total_ms = o->total_ms ? o->total_ms : 60000;
	if (o->allow && cidr_parse(&h->allow, o->allow) < 0) {
		http_free(h);
		errno = EINVAL;
		return NULL;
	}
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, free, mem_realloc, dup_string,
	    zero_array) != CURLE_OK || !(h->c = curl_easy_init())) {
		http_free(h);
		errno = ENOMEM;
		return NULL;
	}
#define SET(opt, val) do { if (!e) e = curl_easy_setopt(h->c, (opt), (val)); } while (0)
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, (void *)h);
	SET(CURLOPT_WRITEFUNCTION, body);
	SET(CURLOPT_WRITEDATA, (void *)h);
	SET(CURLOPT_ERRORBUFFER, h->error);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)h->redirects);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)h->total_ms);
	SET(CURLOPT_ACCEPT_ENCODING, "");
	SET(CURLOPT_PROXY, "");         /* a proxy would resolve the name itself */
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_USERAGENT, o->agent ? o->agent : "sluice");
#undef SET
	if (e == CURLE_OK)
		return h;
	http_free(h);
	return NULL;
}

void
http_free(struct http *h)
{
	if (!h)
		return;
	if (h->c)
		curl_easy_cleanup(h->c);
	cidr_free(&h->allow);
	free(h);
}

static int
fail(struct http_result *r, const char *code, bool retry, const char *why)
{
	r->code = code;
	r->retry = retry;
	snprintf(r->message, sizeof r->message, "%s", why);
	return -1;
}

/* Names a transfer that libcurl gave up. */
static int
judge(struct http *h, CURLcode e)
{
	struct http_result *r = h->r;
	const char *why = h->error[0] ? h->error : curl_easy_strerror(e);
	char tmp[512];

	if (h->over || e == CURLE_FILESIZE_EXCEEDED) {
		snprintf(tmp, sizeof tmp, "the body is over %zu bytes", h->max);
		return fail(r, "too_large", false, tmp);
	}
	switch (e) {
	case CURLE_URL_MALFORMAT:
		return fail(r, "bad_url", false, why);
	case CURLE_UNSUPPORTED_PROTOCOL:
		return fail(r, "url_refused", false, "only http and https are allowed");
	case CURLE_TOO_MANY_REDIRECTS:
		return fail(r, "too_many_redirects", false, why);
	case CURLE_OPERATION_TIMEDOUT:
		return fail(r, "fetch_timeout", true, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return fail(r, "fetch_failed", false, why);
	default:
		if (h->refused)
			return fail(r, "url_refused", false, "the address is not public and not in SLUICE_HTTP_ALLOW");
		return fail(r, "fetch_failed", true, why);
	}
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
	fail(r, "http_status", s == 408 || s == 425 || s == 429 || s == 500 || s == 502 || s == 503 || s == 504, tmp);
	if (r->retry && after_s > 0)
		r->after_ms = (unsigned long)after_s * 1000;
	return -1;
}

int
http_get(struct http *h, const char *url, struct http_result *r)
{
	const char *type = NULL, *at = NULL;
	curl_off_t after_s = 0;
	CURLcode e;

	h->r = r;
	h->refused = h->over = false;
	h->error[0] = 0;
	r->status = 0;
	r->body.len = 0;
	r->code = NULL;
	r->message[0] = r->type[0] = r->url[0] = 0;
	r->retry = false;
	r->after_ms = 0;
	if ((e = curl_easy_setopt(h->c, CURLOPT_URL, url)) == CURLE_OK)
		e = curl_easy_perform(h->c);
	if (curl_easy_getinfo(h->c, CURLINFO_EFFECTIVE_URL, &at) == CURLE_OK && at)
		snprintf(r->url, sizeof r->url, "%s", at);
	if (e != CURLE_OK)
		return judge(h, e);
	curl_easy_getinfo(h->c, CURLINFO_RESPONSE_CODE, &r->status);
	if (curl_easy_getinfo(h->c, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		snprintf(r->type, sizeof r->type, "%s", type);
	curl_easy_getinfo(h->c, CURLINFO_RETRY_AFTER, &after_s);
	return judge_status(r, after_s);
}
