#include "kafka-post.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { TOPIC_MAX = 249 };

__attribute__((format(printf, 2, 3))) static int
wrong(struct kafka_post *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	return -1;
}

/* A short string without NUL into a fixed place. */
static int
name(const struct rec_member *m, struct buf *work, char *to, size_t size)
{
	work->len = 0;
	if (rec_str(m, work) < 0 || work->len == 0 || work->len >= size ||
	    memchr(work->p, '\0', work->len))
		return -1;
	memcpy(to, work->p, work->len);
	to[work->len] = '\0';
	return 0;
}

static int
optional(const struct rec *r, const char *member, bool *has, uint64_t *v)
{
	const struct rec_member *m = rec_get(r, member);

	*has = m;
	return m ? rec_u64(m, v) : 0;
}

static int
outbox(struct kafka_post *p, const struct rec_member *m)
{
	static struct rec r = REC_INIT;

	if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK ||
	    name(rec_get(&r, "ledger"), &p->bytes, p->ledger, sizeof(p->ledger)) < 0 ||
	    name(rec_get(&r, "stream"), &p->bytes, p->stream, sizeof(p->stream)) < 0 ||
	    rec_u64(rec_get(&r, "epoch"), &p->epoch) < 0 ||
	    rec_u64(rec_get(&r, "seq"), &p->seq) < 0 ||
	    optional(&r, "prev", &p->has_prev, &p->prev) < 0 ||
	    optional(&r, "head", &p->has_head, &p->head) < 0) {
		wrong(p, "outbox must have ledger, stream (strings), epoch and seq (numbers)");
		return -2;
	}
	p->outbox = true;
	return 0;
}

/* A string at the end of p->bytes, with a NUL after it. Its place: offsets,
 * since the bytes may still move. */
static int
text(struct kafka_post *p, const struct rec_member *m, size_t *at, size_t *len)
{
	*at = p->bytes.len;
	if (rec_str(m, &p->bytes) < 0)
		return -1;
	*len = p->bytes.len - *at;
	buf_addc(&p->bytes, '\0');
	return 0;
}

/* Headers first as offsets + 1 in the pointers' place (0: null). */
static int
headers(struct kafka_post *p, const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	size_t at, len;

	if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK)
		return wrong(p, "headers must be an object of strings");
	if (r.n > p->headers_cap) {
		p->headers = mem_array(p->headers, r.n, sizeof(*p->headers));
		p->headers_cap = r.n;
	}
	for (size_t i = 0; i < r.n; i++) {
		struct kafka_header *h = &p->headers[i];

		memset(h, 0, sizeof(*h));
		at = p->bytes.len;
		json_unescape(&p->bytes, r.m[i].key, r.m[i].key_len);
		if (memchr(p->bytes.p + at, '\0', p->bytes.len - at))
			return wrong(p, "a header's name has a NUL");
		buf_addc(&p->bytes, '\0');
		h->name = (const char *)(uintptr_t)(at + 1);
		if (r.m[i].type == 'n')
			continue;
		if (text(p, &r.m[i], &at, &len) < 0)
			return wrong(p, "headers must be an object of strings");
		h->val = (const char *)(uintptr_t)(at + 1);
		h->len = len;
	}
	p->msg.n_headers = r.n;
	return 0;
}

static const char *
place(struct kafka_post *p, const char *offset)
{
	return offset ? p->bytes.p + ((uintptr_t)offset - 1) : NULL;
}

static bool
topic_ok(const char *s, size_t len)
{
	return len >= 1 && len <= TOPIC_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len && strcmp(s, ".") && strcmp(s, "..");
}

int
kafka_post(struct kafka_post *p, const struct rec *r)
{
	const struct rec_member *m, *value = rec_get(r, "value");
	size_t topic_at, topic_len, key_at = 0;
	bool key = false;
	int st;

	memset(&p->msg, 0, sizeof(p->msg));
	p->outbox = p->failed = p->refused = p->sent = false;
	p->why[0] = '\0';
	if ((m = rec_get(r, "outbox")) && (st = outbox(p, m)) < 0)
		return st;
	p->bytes.len = 0;
	if (text(p, rec_get(r, "topic"), &topic_at, &topic_len) < 0)
		return wrong(p, "topic must be a string");
	if (!topic_ok(p->bytes.p + topic_at, topic_len))
		return wrong(p, "topic is no name of a topic");
	if ((m = rec_get(r, "key")) && m->type != 'n') {
		if (text(p, m, &key_at, &p->msg.key_len) < 0)
			return wrong(p, "key must be a string or null");
		key = true;
	}
	if ((m = rec_get(r, "headers")) && m->type != 'n' && headers(p, m) < 0)
		return -1;
	if (!value)
		return wrong(p, "value is missing");
	if (value->type != 'n') {
		p->msg.val = value->val;
		p->msg.val_len = value->val_len;
	}
	p->msg.topic = p->bytes.p + topic_at;
	p->msg.key = key ? p->bytes.p + key_at : NULL;
	for (size_t i = 0; i < p->msg.n_headers; i++) {
		p->headers[i].name = place(p, p->headers[i].name);
		p->headers[i].val = place(p, p->headers[i].val);
	}
	p->msg.headers = p->headers;
	return 0;
}

void
kafka_post_release(struct kafka_post *p)
{
	rec_free(&p->rec);
	buf_free(&p->bytes);
	free(p->headers);
}
