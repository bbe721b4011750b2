#include "blob_s3.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "blob_xml.h"
#include "http_multi.h"

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

/* The second of the store's clock that is ours. */
static int64_t
theirs(int64_t ours, const struct http_store_call *c)
{
	return c->date ? ours + (c->date - (int64_t)time(NULL)) : ours;
}

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
		l.before = theirs(before, &c);
		if (blob_list(s->r.body.p, s->r.body.len, on_key, &l, &more) < 0 || l.back || (more && !strcmp(last, l.last)))
			return no_list(s);
	}
	return 0;
}

int
blob_s3_drop(struct blob_s3 *s, bool aside, const char *hex, int64_t before)
{
	struct http_store_call look = { .method = "HEAD" }, drop = { .method = "DELETE" };

	blob_s3_url(s, aside, hex);
	if (blob_s3_ask(s, &look) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!look.modified) {
		blob_because("%.200s: the server does not say when an object was written", s->root);
		errno = EPROTO;
		return -1;
	}
	if (look.modified >= theirs(before, &look))
		return 0;
	/* Who finds it there from here on, and takes it for young, finds it among those set aside. */
	if (!aside && blob_s3_copy(s, false, true, hex) < 0)
		return errno == ENOENT ? 0 : -1;
	blob_s3_url(s, aside, hex);
	return blob_s3_ask(s, &drop) == 0 ? 1 : -1;
}
