#include "rec.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "scan.h"

static struct rec_member *
add_member(struct rec *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->m = mem_array(r->m, r->cap, sizeof(*r->m));
	}
	return &r->m[r->n++];
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
	if (s.st == REC_OK && open == '{' && (twice = rec_duplicate(r))) {
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

int
rec_str(const struct rec_member *m, struct buf *out)
{
	if (!m || m->type != '"')
		return -1;
	json_unescape(out, m->val + 1, m->val_len - 2);
	return 0;
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
