#include "blob_xml.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROOT "ListBucketResult"

struct page {
	char key[BLOB_KEY];     /* of the object that is being read, or "" */
	int64_t modified;
	bool root, more;
	void (*each)(void *ctx, const char *key, int64_t modified);
	void *ctx;
};

static void
copy(char *to, size_t size, const char *text, size_t len)
{
	to[0] = 0;
	if (!text || len >= size || memchr(text, 0, len))
		return;
	memcpy(to, text, len);
	to[len] = 0;
}

/* The characters that XML itself has to write otherwise. */
static void
unescape(char *s)
{
	static const char *const entity[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
	char *to = s;

	for (size_t i; *s; *to++ = i < 5 ? "&<>\"'"[i] : *s++) {
		for (i = 0; i < 5 && strncmp(s, entity[i], strlen(entity[i])) != 0; i++)
			;
		if (i < 5)
			s += strlen(entity[i]);
	}
	*to = 0;
}

/* "2026-11-29T21:30:00.000Z"; 0: none. */
static int64_t
stamp(const char *text, size_t len)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	struct tm t = { 0 };
	char s[sizeof form];
	time_t at;

	if (!text || len < sizeof form || text[len - 1] != 'Z')
		return 0;
	copy(s, sizeof s, text, sizeof s - 1);
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return 0;
	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
		return 0;
	t.tm_year -= 1900;
	t.tm_mon--;
	at = timegm(&t);
	return at > 0 ? (int64_t)at : 0;
}

static void
on_end(void *ctx, const char *path, const char *text, size_t len)
{
	struct page *pg = ctx;

	if (!strcmp(path, ROOT "/Contents/Key")) {
		copy(pg->key, sizeof pg->key, text, len);
		unescape(pg->key);
	} else if (!strcmp(path, ROOT "/Contents/LastModified")) {
		pg->modified = stamp(text, len);
	} else if (!strcmp(path, ROOT "/Contents")) {
		if (pg->key[0])
			pg->each(pg->ctx, pg->key, pg->modified);
		pg->key[0] = 0;
		pg->modified = 0;
	} else if (!strcmp(path, ROOT "/IsTruncated")) {
		pg->more = len == 4 && !memcmp(text, "true", 4);
	} else if (!strcmp(path, ROOT)) {
		pg->root = true;
	}
}

static void
nothing(void *ctx, const char *path, const char *text, size_t len)
{
	(void)ctx, (void)path, (void)text, (void)len;
}

int
blob_list(const char *p, size_t len, void (*each)(void *ctx, const char *key, int64_t modified), void *ctx, bool *more)
{
	struct page pg = { .each = each, .ctx = ctx };

	/* All of it or nothing: a page that was cut off names no object. */
	if (blob_xml(p, len, nothing, NULL) < 0 || blob_xml(p, len, on_end, &pg) < 0 || !pg.root)
		return -1;
	*more = pg.more;
	return 0;
}

static void
on_copy(void *ctx, const char *path, const char *text, size_t len)
{
	int64_t *at = ctx;

	if (!strcmp(path, "CopyObjectResult/LastModified"))
		*at = stamp(text, len);
}

int64_t
blob_copied(const char *p, size_t len)
{
	int64_t at = 0;

	return blob_xml(p, len, on_copy, &at) == 0 ? at : 0;
}

static void
on_error(void *ctx, const char *path, const char *text, size_t len)
{
	struct blob_said *said = ctx;

	if (!strcmp(path, "Error/Code"))
		copy(said->code, sizeof said->code, text, len);
	else if (!strcmp(path, "Error/Message") && text)
		copy(said->message, sizeof said->message, text, len < sizeof said->message ? len : sizeof said->message - 1);
}

void
blob_said(const char *p, size_t len, struct blob_said *said)
{
	said->code[0] = said->message[0] = 0;
	if (len)
		blob_xml(p, len, on_error, said);
}
