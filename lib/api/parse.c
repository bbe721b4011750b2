#include "api/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

bool
parse_type(const char *list, const char *header)
{
	char type[64];
	size_t len = strcspn(header, "; \t");

	if (len >= sizeof(type))
		return false;
	for (size_t i = 0; i < len; i++)
		type[i] = (char)tolower((unsigned char)header[i]);
	return words_have(list, " ", type, len);
}

bool
parse_fits(const char *route, const char *path, const char **part, size_t *len)
{
	const char *brace = strchr(route, '{'), *after;
	size_t before = brace ? (size_t)(brace - route) : 0;

	*part = NULL;
	*len = 0;
	if (!brace)
		return strcmp(route, path) == 0;
	if (strncmp(route, path, before) != 0)
		return false;
	after = strchr(brace, '}') + 1;
	*part = path + before;
	*len = strcspn(*part, "/");
	return *len > 0 && strcmp(after, *part + *len) == 0;
}

const char *
parse_field(const char *body, size_t body_len, const char *name, size_t *len)
{
	const char *p = body, *end = p + body_len;
	size_t n = strlen(name);

	while (p && p < end) {
		const char *next = memchr(p, '&', (size_t)(end - p));
		size_t all = (size_t)((next ? next : end) - p);

		if (all > n && memcmp(p, name, n) == 0 && p[n] == '=') {
			*len = all - n - 1;
			return p + n + 1;
		}
		p = next ? next + 1 : end;
	}
	return NULL;
}

const char *
parse_cookie(const char *header, const char *name, size_t *len)
{
	size_t n = strlen(name);

	for (const char *p = header; p && *p; p += strspn(p, ";")) {
		p += strspn(p, " \t");
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			*len = strcspn(p + n + 1, "; \t");
			return p + n + 1;
		}
		p += strcspn(p, ";");
	}
	return NULL;
}

static bool
digits(const char **p, size_t n)
{
	if (strspn(*p, "0123456789") < n)
		return false;
	*p += n;
	return true;
}

bool
parse_time(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const char *p = s;

	for (const char *f = form; *f; f++, p++)
		if (*f == 'd' ? !isdigit((unsigned char)*p) : *p != *f)
			return false;
	if (*p == '.') {
		size_t n = strspn(p + 1, "0123456789");

		if (!n)
			return false;
		p += 1 + n;
	}
	if (*p == 'Z')
		return !p[1];
	if (*p != '+' && *p != '-' && *p != ' ')
		return false;
	p++;
	return digits(&p, 2) && *p++ == ':' && digits(&p, 2) && !*p;
}

bool
parse_traceparent(const char *s)
{
	static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'h' ? !isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f') : s[i] != form[i])
			return false;
	return strncmp(s, "ff", 2) != 0;
}

bool
parse_key(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] < '!' || key[i] > '~')
			return false;
	return n > 0 && n <= PARSE_KEY_MAX;
}

bool
parse_position(const char *id, int *n, int *k)
{
	size_t a = strspn(id, "0123456789"), b;

	if (!a || a > 9 || id[a] != '.')
		return false;
	b = strspn(id + a + 1, "0123456789");
	*n = (int)strtol(id, NULL, 10);
	*k = (int)strtol(id + a + 1, NULL, 10);
	return b && b <= 9 && !id[a + 1 + b];
}

/* An authority without its port; 0: it has none, or a port that is none. */
static size_t
host_len(const char *host)
{
	size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	if (n > strlen(host))
		return 0;
	return !host[n] || (host[n] == ':' && strspn(host + n + 1, "0123456789") == strlen(host + n + 1)) ? n : 0;
}

bool
parse_local_host(const char *host)
{
	size_t n = host ? host_len(host) : 0;

	return (n == 9 && strncasecmp(host, "localhost", n) == 0) || (n == 5 && strncmp(host, "[::1]", n) == 0) ||
	    (n > 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n);
}

bool
parse_same_origin(const char *origin, const char *host)
{
	const char *p = strstr(origin, "://");

	return p && host && strcasecmp(p + 3, host) == 0;
}

bool
parse_our_path(const char *path)
{
	return path[0] == '/' && path[1] != '/' && !strchr(path, '\\') && strlen(path) < 2000;
}
