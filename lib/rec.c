#include "rec.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "json.h"
#include "scan.h"

enum { FEW = 24 };      /* up to here duplicates are found pair by pair */

static struct rec_member *
add_member(struct rec *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->m = mem_array(r->m, r->cap, sizeof(*r->m));
	}
	return &r->m[r->n++];
}

static size_t
unescaped(const struct rec_member *m, struct buf *b, const char **key)
{
	*key = m->key;
	if (!m->key_escaped)
		return m->key_len;
	b->len = 0;
	json_unescape(b, m->key, m->key_len);
	*key = b->p;
	return b->len;
}

static int
compare_keys(const struct rec_member *a, const struct rec_member *b)
{
	static struct buf ab, bb;
	const char *ak, *bk;
	size_t an, bn, n;
	int c;

	if (!a->key_escaped && !b->key_escaped && a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	an = unescaped(a, &ab, &ak);
	bn = unescaped(b, &bb, &bk);
	if (an != bn)
		return an < bn ? -1 : 1;
	n = an;
	c = n ? memcmp(ak, bk, n) : 0;
	return c;
}

static int
compare_refs(const void *a, const void *b)
{
	return compare_keys(*(const struct rec_member *const *)a,
	    *(const struct rec_member *const *)b);
}

static const struct rec_member *
duplicate_among_many(const struct rec *r)
{
	const struct rec_member **ref = mem_array(NULL, r->n, sizeof(const struct rec_member *));
	const struct rec_member *found = NULL;

	for (size_t i = 0; i < r->n; i++)
		ref[i] = &r->m[i];
	qsort(ref, r->n, sizeof(const struct rec_member *), compare_refs);
	for (size_t i = 1; i < r->n && !found; i++)
		if (compare_keys(ref[i - 1], ref[i]) == 0)
			found = ref[i - 1] > ref[i] ? ref[i - 1] : ref[i];
	free(ref);
	return found;
}

static const struct rec_member *
duplicate(const struct rec *r)
{
	if (r->n > FEW)
		return duplicate_among_many(r);
	for (size_t i = 1; i < r->n; i++)
		for (size_t k = 0; k < i; k++)
			if (compare_keys(&r->m[k], &r->m[i]) == 0)
				return &r->m[i];
	return NULL;
}

/* At a member's first byte: its key (in an object) and its value. */
static bool
parse_member(struct rec *r, struct scan *s, bool keyed)
{
	struct rec_member *m = add_member(r);

	memset(m, 0, sizeof(*m));
	if (keyed) {
		if (s->p == s->end || *s->p != '"')
			return scan_fail(s, REC_SYNTAX);
		m->key = s->p + 1;
		if (!scan_string(s, &m->key_escaped))
			return false;
		m->key_len = (size_t)(s->p - m->key) - 1;
		scan_space(s);
		if (s->p == s->end || *s->p != ':')
			return scan_fail(s, REC_SYNTAX);
		s->p++;
		scan_space(s);
	}
	m->val = s->p;
	if (!scan_value(s, 1))
		return false;
	m->val_len = (size_t)(s->p - m->val);
	m->type = *m->val == '-' || (*m->val >= '0' && *m->val <= '9') ? '0' : *m->val;
	return true;
}

static bool
parse_members(struct rec *r, struct scan *s, char close)
{
	s->p++;
	scan_space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		return true;
	}
	for (;;) {
		if (!parse_member(r, s, close == '}'))
			return false;
		scan_space(s);
		if (s->p == s->end || (*s->p != ',' && *s->p != close))
			return scan_fail(s, REC_SYNTAX);
		if (*s->p++ == close)
			return true;
		scan_space(s);
	}
}

static enum rec_status
parse(struct rec *r, const char *p, size_t len, char open)
{
	struct scan s = { p, p + len, REC_OK };
	const struct rec_member *twice;

	r->p = p;
	r->len = len;
	r->n = 0;
	scan_space(&s);
	if (s.p < s.end && *s.p == open) {
		parse_members(r, &s, open == '{' ? '}' : ']');
	} else if (scan_value(&s, 0)) {
		s.st = REC_NOT_OBJECT;
	}
	if (s.st == REC_OK || s.st == REC_NOT_OBJECT) {
		scan_space(&s);
		if (s.p < s.end)
			s.st = REC_SYNTAX;
	}
	r->at = (size_t)(s.p - p);
	if (s.st == REC_OK && open == '{' && (twice = duplicate(r))) {
		r->at = (size_t)(twice->key - p);
		s.st = REC_DUPLICATE;
	}
	return s.st;
}

enum rec_status
rec_parse(struct rec *r, const char *p, size_t len)
{
	return parse(r, p, len, '{');
}

enum rec_status
rec_items(struct rec *r, const char *p, size_t len)
{
	return parse(r, p, len, '[');
}

void
rec_free(struct rec *r)
{
	free(r->m);
	r->m = NULL;
	r->n = r->cap = 0;
}

static const struct {
	const char *code, *reason;
} words[] = {
	[REC_OK] = { "ok", "it is a record" },
	[REC_SYNTAX] = { "bad_json", "not valid JSON" },
	[REC_UTF8] = { "bad_utf8", "not valid UTF-8" },
	[REC_SURROGATE] = { "bad_json", "half of a surrogate pair" },
	[REC_TOO_DEEP] = { "too_deep", "nested deeper than 64" },
	[REC_DUPLICATE] = { "duplicate_key", "a key stands twice in one object" },
	[REC_NOT_OBJECT] = { "not_object", "not a JSON object" },
};

const char *
rec_code(enum rec_status st)
{
	return words[st].code;
}

const char *
rec_reason(enum rec_status st)
{
	return words[st].reason;
}

const struct rec_member *
rec_get(const struct rec *r, const char *name)
{
	struct rec_member want = { .key = name, .key_len = strlen(name) };

	for (size_t i = 0; i < r->n; i++) {
		const struct rec_member *m = &r->m[i];

		if (!m->key)
			continue;
		if (!m->key_escaped && (m->key_len != want.key_len ||
		    memcmp(m->key, name, want.key_len) != 0))
			continue;
		if (compare_keys(m, &want) == 0)
			return m;
	}
	return NULL;
}

int
rec_str(const struct rec_member *m, struct buf *out)
{
	if (!m || m->type != '"')
		return -1;
	json_unescape(out, m->val + 1, m->val_len - 2);
	return 0;
}

bool
rec_is(const struct rec_member *m, const char *s)
{
	struct rec_member a, b = { .key = s, .key_len = strlen(s) };

	if (!m || m->type != '"')
		return false;
	a = (struct rec_member){ .key = m->val + 1, .key_len = m->val_len - 2 };
	a.key_escaped = memchr(a.key, '\\', a.key_len) != NULL;
	return compare_keys(&a, &b) == 0;
}

int
rec_u64(const struct rec_member *m, uint64_t *v)
{
	uint64_t n = 0;

	if (!m || m->type != '0')
		return -1;
	for (size_t i = 0; i < m->val_len; i++) {
		unsigned d = (unsigned)(m->val[i] - '0');

		if (d > 9 || n > (UINT64_MAX - d) / 10)
			return -1;
		n = n * 10 + d;
	}
	*v = n;
	return 0;
}

int
rec_bool(const struct rec_member *m, bool *v)
{
	if (!m || (m->type != 't' && m->type != 'f'))
		return -1;
	*v = m->type == 't';
	return 0;
}

/* The bytes of member i and of the comma that goes with it. */
static void
cut(const struct rec *r, size_t i, const char **from, const char **to)
{
	const struct rec_member *m = &r->m[i];

	*from = m->key - 1;
	*to = m->val + m->val_len;
	if (i > 0) {                    /* the comma before it, from the end of its neighbour */
		const char *p = *from - 1;

		while (*p != ',')
			p--;
		*from = p;
	} else if (r->n > 1) {          /* the first: up to the next member */
		*to = r->m[1].key - 1;
	}
}

/* Which member each change is about, NULL for a new one. */
static void
find_targets(const struct rec *r, const struct rec_change *c, size_t n,
    const struct rec_member **target)
{
	if (n > REC_CHANGES)
		die(XBUG, "%zu changes to a record", n);
	for (size_t k = 0; k < n; k++)
		target[k] = rec_get(r, c[k].name);
}

static void
append_new(struct buf *out, const struct rec_change *c, size_t n,
    const struct rec_member *const *target, bool first)
{
	for (size_t k = 0; k < n; k++) {
		if (!c[k].val || target[k])
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		json_quotes(out, c[k].name);
		buf_addc(out, ':');
		buf_add(out, c[k].val, c[k].len);
	}
}

void
rec_edit(struct buf *out, const struct rec *r, const struct rec_change *c, size_t n)
{
	const char *at = r->p, *end = r->p + r->len, *close = end;
	const struct rec_member *target[REC_CHANGES];
	size_t left = 0;

	find_targets(r, c, n, target);
	while (*--close != '}')
		;
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_member *m = &r->m[i];
		const char *from = m->val, *to = m->val + m->val_len;
		size_t k = 0;

		while (k < n && target[k] != m)
			k++;
		if (k == n || c[k].val)
			left++;
		if (k == n)
			continue;
		if (!c[k].val) {
			cut(r, i, &from, &to);
			if (from < at)
				from = at;
			if (left == 0 && i > 0 && i + 1 < r->n)
				to = r->m[i + 1].key - 1;       /* all before it went too */
		}
		buf_add(out, at, (size_t)(from - at));
		if (c[k].val)
			buf_add(out, c[k].val, c[k].len);
		at = to;
	}
	buf_add(out, at, (size_t)(close - at));
	append_new(out, c, n, target, left == 0);
	buf_add(out, close, (size_t)(end - close));
}
