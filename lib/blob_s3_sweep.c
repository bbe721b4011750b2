#include "blob_s3.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blob_xml.h"
#include "http_multi.h"
#include "now.h"

enum { PAGE_MAX = 8 << 20 };    /* bytes of a list of a thousand objects */

/* One look through the list. */
struct look {
	char base[BLOB_S3_AT + 8];      /* what our keys begin with */
	char last[BLOB_KEY];            /* the key that came last */
	bool aside, past, back;         /* behind our keys; a key that is not behind the last */
	int64_t before;
	void (*each)(void *ctx, const char *hex);
	void *ctx;
};

static void
on_key(void *ctx, const char *key, int64_t modified)
{
	struct look *l = ctx;
	size_t n = strlen(l->base);
	char hex[SHA256_HEX];

	l->back |= strcmp(key, l->last) <= 0;
	snprintf(l->last, sizeof l->last, "%s", key);
	if (strncmp(key, l->base, n) != 0)
		return;
	/* Those that were set aside, and whatever else is there, come behind ours. */
	l->past |= !l->aside && key[n] > 'f';
	if (blob_hex(key + n, hex) == 0 && modified && modified < l->before)
		l->each(l->ctx, hex);
}

static void
list_url(struct blob_s3 *s, const struct look *l)
{
	s->url.len = 0;
	buf_addf(&s->url, "%s%.*s?list-type=2", s->root, (int)s->bucket, s->at);
	if (l->base[0]) {
		buf_adds(&s->url, "&prefix=");
		http_escape(&s->url, l->base, strlen(l->base), "");
	}
	if (l->last[0]) {
		buf_adds(&s->url, "&start-after=");
		http_escape(&s->url, l->last, strlen(l->last), "");
	}
}

static int
no_list(struct blob_s3 *s)
{
	blob_because("%.200s%.*s: the answer is no list of objects in the order of their names", s->root, (int)s->bucket, s->at);
	errno = EPROTO;
	return -1;
}

int
blob_s3_old(struct blob_s3 *s, bool aside, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx)
{
	struct look l = { .aside = aside, .each = each, .ctx = ctx };
	const char *prefix = s->at + s->bucket + (s->at[s->bucket] == '/');
	bool more = true;

	snprintf(l.base, sizeof l.base, "%s%s%s", prefix, *prefix ? "/" : "", aside ? "gone/" : "");
	while (more && !l.past) {
		struct http_store_call c = { .method = "GET", .max = PAGE_MAX };
		char last[BLOB_KEY];

		memcpy(last, l.last, sizeof last);
		list_url(s, &l);
		if (blob_s3_ask(s, &c) < 0)
			return -1;
		l.before = blob_s3_theirs(before, &c);
		if (blob_list(s->r.body.p, s->r.body.len, on_key, &l, &more) < 0 || l.back || (more && !strcmp(last, l.last)))
			return no_list(s);
	}
	return 0;
}

/* A writer that finds the object there while it is copied aside, or before it is deleted, belongs to an
 * attempt that may have begun after the copy was made. So the stroke comes soon after the
 * copy, or not at all, and for so long nothing set aside is old. */
enum { STROKE_MS = 20000 };

static int64_t
margin_s(const struct blob_s3 *s)
{
	return STROKE_MS / 1000 + s->again_ms / 1000 + (int64_t)s->stall_s + 5;
}

int
blob_s3_drop(struct blob_s3 *s, bool aside, const char *hex, int64_t before)
{
	struct http_store_call look = { .method = "HEAD" }, drop = { .method = "DELETE" };
	int64_t began;

	blob_s3_url(s, aside, hex);
	if (blob_s3_ask(s, &look) < 0)
		return errno == ENOENT ? BLOB_NONE : -1;
	if (!look.modified) {
		blob_because("%.200s: the server does not say when an object was written", s->root);
		errno = EPROTO;
		return -1;
	}
	if (look.modified >= blob_s3_theirs(aside ? before - margin_s(s) : before, &look))
		return BLOB_YOUNG;
	began = now_ms();
	if (!aside && blob_s3_copy(s, false, true, hex, NULL) < 0)
		return errno == ENOENT ? BLOB_NONE : -1;
	if (now_ms() - began > STROKE_MS)
		return BLOB_YOUNG;
	blob_s3_url(s, aside, hex);
	return blob_s3_ask(s, &drop) == 0 ? BLOB_DROPPED : -1;
}
