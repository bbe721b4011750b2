#include "json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "rec.h"
#include "scan.h"

size_t
utf8_len(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n, left = (size_t)(end - p);

	if (!left || u[0] < 0x80)
		return left ? 1 : 0;
	n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || left < n)
		return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void
quote_control(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (!at) {
		buf_addf(out, "\\u%04x", c);
		return;
	}
	buf_addc(out, '\\');
	buf_addc(out, to[at - from]);
}

void
json_quote(struct buf *out, const char *s, size_t len)
{
	const char *p = s, *end = s + len, *plain = s;

	buf_room(out, len + 2);
	buf_addc(out, '"');
	while ((p = scan_plain(p, end)) < end) {
		size_t n = 1;

		if ((unsigned char)*p >= 0x80)
			n = utf8_len(p, end);
		if (n && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') {
			p += n;
			continue;
		}
		buf_add(out, plain, (size_t)(p - plain));
		if (n)
			quote_control(out, (unsigned char)*p);
		else
			buf_adds(out, "\xef\xbf\xbd");
		plain = ++p;
	}
	buf_add(out, plain, (size_t)(end - plain));
	buf_addc(out, '"');
}

void
json_quotes(struct buf *out, const char *s)
{
	json_quote(out, s, strlen(s));
}

static void
add_utf8(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
	} else if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(out, (char)(0xe0 | c >> 12));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(out, (char)(0xf0 | c >> 18));
		buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

static unsigned
hex4(const char *p)
{
	char digits[5] = { p[0], p[1], p[2], p[3], 0 };

	return (unsigned)strtoul(digits, NULL, 16);
}

/* At a backslash of a checked string; returns the byte after the escape. */
static const char *
unescape_one(struct buf *out, const char *p)
{
	unsigned u;

	switch (p[1]) {
	case 'b': buf_addc(out, '\b'); return p + 2;
	case 'f': buf_addc(out, '\f'); return p + 2;
	case 'n': buf_addc(out, '\n'); return p + 2;
	case 'r': buf_addc(out, '\r'); return p + 2;
	case 't': buf_addc(out, '\t'); return p + 2;
	case 'u': break;
	default: buf_addc(out, p[1]); return p + 2;
	}
	u = hex4(p + 2);
	if (u < 0xd800 || u >= 0xdc00) {
		add_utf8(out, u);
		return p + 6;
	}
	add_utf8(out, 0x10000 + ((u - 0xd800) << 10) + (hex4(p + 8) - 0xdc00));
	return p + 12;
}

void
json_unescape(struct buf *out, const char *raw, size_t len)
{
	const char *end = raw + len;

	buf_room(out, len);
	while (raw < end) {
		const char *slash = memchr(raw, '\\', (size_t)(end - raw));

		if (!slash) {
			buf_add(out, raw, (size_t)(end - raw));
			return;
		}
		buf_add(out, raw, (size_t)(slash - raw));
		raw = unescape_one(out, slash);
	}
}

/* The keys of the objects that are open, innermost last. */
struct keys {
	struct buf text;
	struct key { size_t at, len; } *key;
	size_t n, cap;
	size_t open[REC_DEPTH + 1];     /* where each open object's keys begin */
	size_t text_at[REC_DEPTH + 1];
	size_t depth;
	struct json_fault *fault;
};

static const char *sort_text;           /* qsort has no context argument */

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->len ? memcmp(sort_text + x->at, sort_text + y->at, x->len) : 0;
}

static int
on_start_map(void *ctx)
{
	struct keys *k = ctx;

	if (k->depth > REC_DEPTH)
		return 0;
	k->open[k->depth] = k->n;
	k->text_at[k->depth++] = k->text.len;
	return 1;
}

static int
on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct keys *k = ctx;

	if (k->n == k->cap) {
		k->cap = k->cap ? k->cap * 2 : 64;
		k->key = mem_array(k->key, k->cap, sizeof(*k->key));
	}
	k->key[k->n++] = (struct key){ k->text.len, len };
	buf_add(&k->text, s, len);
	return 1;
}

static int
on_end_map(void *ctx)
{
	struct keys *k = ctx;
	size_t from = k->open[--k->depth], n = k->n - from;

	sort_text = k->text.p;
	if (n > 1)
		qsort(k->key + from, n, sizeof(*k->key), compare_keys);
	for (size_t i = from + 1; i < k->n; i++) {
		const struct key *twice = &k->key[i];

		if (compare_keys(twice - 1, twice) != 0)
			continue;
		k->fault->code = "duplicate_key";
		snprintf(k->fault->what, sizeof(k->fault->what),
		    "the key \"%.*s\" stands twice in one object",
		    (int)(twice->len < 64 ? twice->len : 64), k->text.p + twice->at);
		return 0;
	}
	k->n = from;
	k->text.len = k->text_at[k->depth];
	return 1;
}

static void *
on_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return mem_alloc(n);
}

static void *
on_realloc(void *ctx, void *p, size_t n)
{
	(void)ctx;
	return mem_realloc(p, n);
}

static void
on_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

int
json_check(const char *p, size_t len, struct json_fault *f)
{
	static const yajl_callbacks callbacks = { .yajl_start_map = on_start_map,
	    .yajl_map_key = on_key, .yajl_end_map = on_end_map };
	static yajl_alloc_funcs alloc = { on_alloc, on_realloc, on_free, NULL };
	static struct keys keys;
	static struct rec rec;
	enum rec_status st = rec_parse(&rec, p, len);
	yajl_handle y;
	int bad;

	if (st != REC_OK && st != REC_NOT_OBJECT) {
		f->code = rec_code(st);
		f->at = rec.at;
		snprintf(f->what, sizeof(f->what), "%s", rec_reason(st));
		return -1;
	}
	keys.text.len = keys.n = keys.depth = 0;
	keys.fault = f;
	f->code = "bad_json";
	snprintf(f->what, sizeof(f->what), "not valid JSON");
	y = yajl_alloc(&callbacks, &alloc, &keys);
	bad = yajl_parse(y, (const unsigned char *)p, len) != yajl_status_ok ||
	    yajl_complete_parse(y) != yajl_status_ok;
	f->at = yajl_get_bytes_consumed(y);
	yajl_free(y);
	return bad ? -1 : 0;
}
