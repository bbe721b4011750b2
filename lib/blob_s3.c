#include "blob_s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "blob_xml.h"
#include "now.h"

enum {
	AGAIN_S = 10,
	WAIT_MS = 100,          /* before the second try, then twice that */
	ROUNDING = 2            /* seconds: clocks tell whole ones */
};

struct blob_s3 *
blob_s3_open(const char *name)
{
	struct blob_s3 *s = mem_zalloc(sizeof *s);
	struct http_store_opts o = { 0 };
	struct buf keys = BUF_INIT;
	int e;

	if (blob_s3_settings(s, name, &o, &keys) == 0)
		s->h = http_store_open(&o);
	e = errno;
	if (keys.p)
		explicit_bzero(keys.p, keys.cap);
	buf_free(&keys);
	s->stall_s = o.stall_s;
	s->again_ms = o.stall_s < AGAIN_S ? (int64_t)o.stall_s * 1000 : AGAIN_S * 1000;
	if (s->h)
		return s;
	free(s);
	errno = e;
	return NULL;
}

void
blob_s3_free(struct blob_s3 *s)
{
	if (!s)
		return;
	http_store_free(s->h);
	buf_free(&s->r.body);
	buf_free(&s->url);
	buf_free(&s->from);
	free(s);
}

/* Half of the time to all of it. */
static long
jitter(long ms)
{
	unsigned short dice = 0;

	if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) != sizeof dice)
		dice = 0;
	return ms / 2 + dice % (ms / 2 + 1);
}

static void
sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* What came of it, as errno and in words. tries: how many. Returns -1. */
static int
fault(const struct blob_s3 *s, int tries)
{
	const struct http_result *r = &s->r;
	struct blob_said said;
	char often[32] = "";

	blob_said(r->body.p, r->body.len, &said);
	if (tries > 1)
		snprintf(often, sizeof often, ", %d times", tries);
	if (!r->status || !strcmp(r->code, "too_large"))
		blob_because("%.200s: %.200s%s", s->root, r->message, often);
	else
		blob_because("%.200s%.*s: %s%s%s%s%.200s%s", s->root, (int)s->bucket, s->at, r->message,
		    said.code[0] ? " " : "", said.code, said.message[0] ? ", " : "", said.message, often);
	if (!strcmp(r->code, "too_large"))
		errno = EFBIG;
	else if (!strcmp(r->code, "fetch_timeout"))
		errno = ETIMEDOUT;
	else if (r->status == 404)
		errno = strcmp(said.code, "NoSuchBucket") ? ENOENT : ENOTDIR;
	else if (r->status == 401 || r->status == 403)
		errno = EACCES;
	else if (r->status == 400 || r->status == 405 || r->status == 501)
		errno = EOPNOTSUPP;
	else
		errno = EIO;
	return -1;
}

/* A copy that fails under way is told of in a body whose status said 200 already. */
static int
copied(struct http_result *r)
{
	if (r->body.len && memmem(r->body.p, r->body.len, "<CopyObjectResult", 17))
		return 0;
	return http_fail(r, "copy_failed", true, "the server did not copy");
}

int
blob_s3_ask(struct blob_s3 *s, struct http_store_call *c)
{
	int64_t began = now_ms();
	size_t from = c->out ? c->out->len : 0;
	long wait = WAIT_MS;

	for (int tries = 1;; tries++, wait *= 2) {
		long ms = jitter(wait);

		if (c->out)
			c->out->len = from;
		c->url = buf_str(&s->url);
		if (http_store_do(s->h, c, &s->r) == 0 && (!c->copy_of || copied(&s->r) == 0))
			return 0;
		if ((long)s->r.after_ms > ms)
			ms = (long)s->r.after_ms;
		/* 409: somebody else writes the same name in this moment. */
		if (!(s->r.retry || s->r.status == 409) || now_ms() - began + ms > s->again_ms)
			return fault(s, tries);
		sleep_ms(ms);
	}
}

/* "ab/cdef..." with what stands before it. */
static void
path(struct blob_s3 *s, struct buf *out, bool aside, const char *hex)
{
	buf_addf(out, "%s/%s%.2s/%s", s->at, aside ? "gone/" : "", hex, hex + 2);
}

void
blob_s3_url(struct blob_s3 *s, bool aside, const char *hex)
{
	s->url.len = 0;
	buf_adds(&s->url, s->root);
	path(s, &s->url, aside, hex);
}

int64_t
blob_s3_theirs(int64_t ours, const struct http_store_call *c)
{
	return c->date ? ours + (c->date - (int64_t)time(NULL)) : ours;
}

int
blob_s3_copy(struct blob_s3 *s, bool from_aside, bool to_aside, const char *hex, bool *young)
{
	struct http_store_call c = { .method = "PUT" };
	int64_t began = (int64_t)time(NULL);

	s->from.len = 0;
	path(s, &s->from, from_aside, hex);
	c.copy_of = buf_str(&s->from);
	blob_s3_url(s, to_aside, hex);
	if (blob_s3_ask(s, &c) < 0)
		return -1;
	if (young)
		*young = blob_copied(s->r.body.p, s->r.body.len) >= blob_s3_theirs(began, &c) - ROUNDING;
	return 0;
}

int
blob_s3_put(struct blob_s3 *s, const void *p, size_t len, const char *hex)
{
	struct http_store_call c = { .method = "PUT", .sha256 = hex, .body = p, .len = len };
	bool young = false;

	/* It is there, and young now; or not; or the store has no such copies. */
	if (blob_s3_copy(s, false, false, hex, &young) < 0 && errno != ENOENT && errno != EOPNOTSUPP)
		return -1;
	if (young)
		return 0;
	blob_s3_url(s, false, hex);
	return blob_s3_ask(s, &c);
}

static int
get(struct blob_s3 *s, const char *hex, size_t max, struct buf *out)
{
	struct http_store_call c = { .method = "GET", .out = out, .max = max };
	size_t from = out->len;
	char is[SHA256_HEX];

	/* A second time for what something between here and there has spoiled. */
	for (int i = 0; i < 2; i++) {
		out->len = from;
		blob_s3_url(s, false, hex);
		if (blob_s3_ask(s, &c) < 0) {
			out->len = from;
			return -1;
		}
		sha256_hex(out->p ? out->p + from : "", out->len - from, is);
		if (strcmp(is, hex) == 0)
			return 0;
	}
	out->len = from;
	blob_because("%.200s%.200s: the object has other bytes than its name says", s->root, s->at);
	errno = EBADMSG;
	return -1;
}

int
blob_s3_get(struct blob_s3 *s, const char *hex, size_t max, struct buf *out)
{
	if (get(s, hex, max, out) == 0)
		return 0;
	/* A collector may have set it aside in this moment. */
	if (errno != ENOENT || blob_s3_copy(s, true, false, hex, NULL) < 0)
		return -1;
	return get(s, hex, max, out);
}

bool
blob_s3_has(struct blob_s3 *s, const char *hex)
{
	struct http_store_call c = { .method = "HEAD" };

	blob_s3_url(s, false, hex);
	return blob_s3_ask(s, &c) == 0 || (errno == ENOENT && blob_s3_copy(s, true, false, hex, NULL) == 0);
}
