#include "http_multi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "http_int.h"

static void
lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

int
http_origin(const char *url, char *out, size_t size, struct http_result *r)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
	const char *code = NULL, *why = "not a URL";

	if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		code = "bad_url";
	} else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
		code = "url_refused";
		why = "only http and https are allowed";
	} else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK) {
		code = "url_refused";
		why = "a user's name in it is not allowed";
	} else if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    (size_t)snprintf(out, size, "%s://%s:%s", scheme, host, port) >= size) {
		code = "bad_url";
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(u);
	if (code)
		return http_fail(r, code, false, why);
	lower(out);
	return 0;
}

/* As it goes over the wire. */
static bool
is_plain(const char *s)
{
	while (*s > ' ' && *s < 0x7f)
		s++;
	return !*s;
}

int
http_join(const char *base, const char *url, char *out)
{
	CURLU *u = curl_url();
	char *whole = NULL, *scheme = NULL;
	int r = -1;

	if (u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, url, CURLU_URLENCODE) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
	    curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK && strlen(whole) < HTTP_URL_MAX && is_plain(whole)) {
		memcpy(out, whole, strlen(whole) + 1);
		r = 0;
	}
	curl_free(whole);
	curl_free(scheme);
	curl_url_cleanup(u);
	return r;
}

int64_t
http_date(const char *s)
{
	time_t t = curl_getdate(s, NULL);

	return t > 0 ? (int64_t)t : 0;
}

void
http_escape(struct buf *out, const char *s, size_t len, const char *keep)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x80 && (isalnum(c) || (c && strchr("-._~", c)) || (c && strchr(keep, c))))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}
