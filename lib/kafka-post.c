#include "kafka-post.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka-place.h"

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
	    optional(&r, "head", &p->has_head, &p->head) < 0 ||
	    optional(&r, "base", &p->has_base, &p->base) < 0) {
		wrong(p, "outbox must have ledger, stream (strings), epoch and seq (numbers)");
		return -2;
	}
	p->outbox = true;
	return 0;
}

static const char *
ptr(const struct kafka_post *p, size_t at)
{
	return place_ptr(&p->bytes, at);
}

static bool
topic_ok(const char *s, size_t len)
{
	return len >= 1 && len <= TOPIC_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len && strcmp(s, ".") && strcmp(s, "..");
}

/* A topic's name, or none. */
static int
topic(struct kafka_post *p, const struct rec *r, const char *member, struct place *to)
{
	if (place_text(&p->bytes, rec_get(r, member), to) < 0 || (to->at && !topic_ok(ptr(p, to->at), to->len)))
		return wrong(p, "%s is no name of a topic", member);
	return 0;
}

static int
key(struct kafka_post *p, const struct rec *r, struct place *to)
{
	const struct rec_member *m = rec_get(r, "key_b64");

	if (m && place_base64(&p->bytes, m, to) < 0)
		return wrong(p, "key_b64 must be base64");
	if (m)
		return 0;
	m = rec_get(r, "key");
	return m && place_text(&p->bytes, m, to) < 0 ? wrong(p, "key must be a string or null") : 0;
}

/* The bytes to send: those of the line, or in *to. */
static int
value(struct kafka_post *p, const struct rec *r, struct place *to)
{
	const struct rec_member *m = rec_get(r, "value");
	uint64_t length;

	if (m) {
		if (m->type != 'n') {
			p->msg.val = m->val;
			p->msg.val_len = m->val_len;
		}
		return 0;
	}
	if ((m = rec_get(r, "text")))
		return place_text(&p->bytes, m, to) < 0 ? wrong(p, "text must be a string or null") : 0;
	if ((m = rec_get(r, "b64")))
		return place_base64(&p->bytes, m, to) < 0 ? wrong(p, "b64 must be base64") : 0;
	if (rec_u64(rec_get(r, "value_length"), &length) == 0)
		return wrong(p, "its %" PRIu64 " bytes are too many for a line", length);
	return wrong(p, "value is missing");
}

static int
numbers(struct kafka_post *p, const struct rec *r)
{
	const struct rec_member *m;
	uint64_t v;

	p->msg.partition = -1;
	p->msg.ts_ms = -1;
	if ((m = rec_get(r, "partition")) && m->type != 'n') {
		if (rec_u64(m, &v) < 0 || v > INT32_MAX)
			return wrong(p, "partition must be a whole number");
		p->msg.partition = (int32_t)v;
	}
	if ((m = rec_get(r, "ts")) && m->type != 'n') {
		if (rec_u64(m, &v) < 0 || v > INT64_MAX)
			return wrong(p, "ts must be a whole number of milliseconds");
		p->msg.ts_ms = (int64_t)v;
	}
	m = rec_get(r, "priority");
	p->priority = rec_is(m, "High") ? 'H' : rec_is(m, "Low") ? 'L' : 'M';
	return 0;
}

int
kafka_post(struct kafka_post *p, const struct rec *r)
{
	struct place name, fallback, k = { 0, 0 }, val = { 0, 0 };
	const struct rec_member *m;
	int st;

	memset(&p->msg, 0, sizeof(p->msg));
	p->outbox = p->failed = p->refused = p->sent = false;
	p->why[0] = '\0';
	p->fallback = NULL;
	if ((m = rec_get(r, "outbox")) && (st = outbox(p, m)) < 0)
		return st;
	p->bytes.len = 0;
	if (topic(p, r, "topic", &name) < 0 || !name.at)
		return wrong(p, "topic must be the name of a topic");
	fallback.at = 0;
	if ((rec_get(r, "fallback") && topic(p, r, "fallback", &fallback) < 0) ||
	    key(p, r, &k) < 0 || numbers(p, r) < 0 || value(p, r, &val) < 0 ||
	    ((m = rec_get(r, "headers")) && m->type != 'n' && kafka_post_headers(p, m) < 0))
		return -1;
	p->msg.topic = ptr(p, name.at);
	p->fallback = ptr(p, fallback.at);
	p->msg.key = ptr(p, k.at);
	p->msg.key_len = k.len;
	if (val.at) {
		p->msg.val = ptr(p, val.at);
		p->msg.val_len = val.len;
	}
	kafka_post_headers_place(p);
	return 0;
}

void
kafka_post_digest(const struct kafka_post *p, char hex[SHA256_HEX])
{
	static const char *const members[] = { "topic", "key", "key_b64", "value", "text", "b64" };
	static struct buf all = BUF_INIT;

	all.len = 0;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct rec_member *m = rec_get(&p->rec, members[i]);

		if (m) {
			sha256_hex(m->val, m->val_len, hex);
			buf_addf(&all, "%s=%s\n", members[i], hex);
		}
	}
	sha256_hex(all.p, all.len, hex);
}

void
kafka_post_release(struct kafka_post *p)
{
	rec_free(&p->rec);
	buf_free(&p->bytes);
	free(p->headers);
}
