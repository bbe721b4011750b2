#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "b64.h"
#include "doi.h"

#define NO_BYTES "must be base64, or an array of bytes from 0 to 255"

static void
point(struct buf *at, const char *path)
{
	for (; *path && *path != ','; path++)
		buf_addc(at, *path == '.' ? '/' : *path);
}

struct buf *
check_fault(struct check *c, const char *name)
{
	if (!c->n && c->at) {
		buf_addc(c->at, '/');
		point(c->at, c->within);
		point(c->at, name);
	}
	if (c->n++)
		buf_adds(c->why, "; ");
	buf_addf(c->why, "%s%s: ", c->within, name);
	return c->why;
}

static bool
one_of(const struct rec_member *m, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, "|");
		char word[32];

		memcpy(word, words, n);
		word[n] = '\0';
		if (rec_is(m, word))
			return true;
		words += n + (words[n] == '|');
	}
	return false;
}

bool
check_trace(const char *s, size_t len)
{
	if (len != 55 || s[2] != '-' || s[35] != '-' || s[52] != '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (i != 2 && i != 35 && i != 52 && !(s[i] && strchr(CHECK_DIGIT "abcdef", s[i])))
			return false;
	return true;
}

/* Two digits from lo to hi. */
static bool
pair(const char *s, int lo, int hi)
{
	int v;

	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	v = (s[0] - '0') * 10 + s[1] - '0';
	return v >= lo && v <= hi;
}

/* 2026-11-22T18:00:00[.123](Z|+01:00); NUL-terminated. */
static bool
is_time(const char *s, size_t len)
{
	if (len < 20 || strlen(s) != len || !pair(s, 0, 99) || !pair(s + 2, 0, 99) || s[4] != '-' || !pair(s + 5, 1, 12) || s[7] != '-' ||
	    !pair(s + 8, 1, 31) || (s[10] != 'T' && s[10] != 't') || !pair(s + 11, 0, 23) || s[13] != ':' ||
	    !pair(s + 14, 0, 59) || s[16] != ':' || !pair(s + 17, 0, 60))
		return false;
	s += 19;
	if (*s == '.') {
		size_t n = strspn(s + 1, CHECK_DIGIT);

		if (!n)
			return false;
		s += n + 1;
	}
	if ((*s == 'Z' || *s == 'z') && !s[1])
		return true;
	return (*s == '+' || *s == '-') && strlen(s) == 6 && pair(s + 1, 0, 23) && s[3] == ':' && pair(s + 4, 0, 59);
}

static bool
is_base64(const char *s, size_t len)
{
	static struct buf out;

	out.len = 0;
	return b64_decode(&out, s, len) == 0;
}

static bool
is_doi(const char *s, size_t len)
{
	static struct buf out;

	out.len = 0;
	return doi_normal(&out, s, len) == 0;
}

static void
check_string(struct check *c, const struct check_rule *u, const struct rec_member *m)
{
	static struct buf s;
	const char *bad = NULL;

	s.len = 0;
	if (rec_str(m, &s) < 0) {
		buf_adds(check_fault(c, u->name), u->type == CHECK_BASE64 ? NO_BYTES : "must be a string");
		return;
	}
	buf_str(&s);
	if (s.len < u->min || s.len > u->max) {
		buf_addf(check_fault(c, u->name), "must have %" PRIu64 " to %" PRIu64 " bytes", u->min, u->max);
		return;
	}
	if (u->type == CHECK_NAME && strspn(s.p, u->set) != s.len)
		bad = "has a byte that is not allowed in it";
	else if (u->type == CHECK_URL && strncmp(s.p, "http://", 7) != 0 && strncmp(s.p, "https://", 8) != 0)
		bad = "must begin with http:// or https://";
	else if (u->type == CHECK_DOI && !is_doi(s.p, s.len))
		bad = "must be a DOI such as 10.1000/182";
	else if (u->type == CHECK_TRACE && !check_trace(s.p, s.len))
		bad = "must be a W3C traceparent";
	else if (u->type == CHECK_TIME && !is_time(s.p, s.len))
		bad = "must be a time such as 2026-11-22T18:00:00Z";
	else if (u->type == CHECK_HEX && (strncmp(s.p, "0x", 2) != 0 || strspn(s.p + 2, CHECK_DIGIT "abcdefABCDEF") != s.len - 2))
		bad = "must be 0x and hexadecimal digits";
	else if (u->type == CHECK_BASE64 && !is_base64(s.p, s.len))
		bad = NO_BYTES;
	if (bad)
		buf_adds(check_fault(c, u->name), bad);
}

static void
check_whole(struct check *c, const struct check_rule *u, const struct rec_member *m, const char *each)
{
	uint64_t v;

	if (rec_u64(m, &v) < 0 || v < u->min || v > u->max)
		buf_addf(check_fault(c, u->name), "%smust be a whole number from %" PRIu64 " to %" PRIu64, each, u->min, u->max);
}

static void
check_array(struct check *c, const struct check_rule *u, const struct rec_member *m)
{
	static struct rec items;
	bool strings = u->type == CHECK_STRINGS;

	if (m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK || (!strings && items.n != 2)) {
		buf_addf(check_fault(c, u->name), "must be an array of %s", strings ? "strings" : "two whole numbers");
		return;
	}
	if (strings && (items.n < u->min || items.n > u->max))
		buf_addf(check_fault(c, u->name), "has %zu items, %" PRIu64 " to %" PRIu64 " are allowed", items.n, u->min, u->max);
	for (size_t i = 0; i < items.n; i++) {
		if (!strings) {
			check_whole(c, u, &items.m[i], i ? "the second " : "the first ");
		} else if (items.m[i].type != '"') {
			buf_addf(check_fault(c, u->name), "item %zu must be a string", i);
			return;
		}
	}
}

static void
check_member(struct check *c, const struct check_rule *u, const struct rec_member *m)
{
	switch (u->type) {
	case CHECK_STRING:
	case CHECK_NAME:
	case CHECK_URL:
	case CHECK_DOI:
	case CHECK_TRACE:
	case CHECK_TIME:
	case CHECK_HEX:
	case CHECK_BASE64: check_string(c, u, m); break;
	case CHECK_WHOLES:
	case CHECK_STRINGS: check_array(c, u, m); break;
	case CHECK_WHOLE: check_whole(c, u, m, ""); break;
	case CHECK_CHOICE:
		if (!one_of(m, u->set))
			buf_addf(check_fault(c, u->name), "must be one of %s", u->set);
		break;
	case CHECK_OBJECT:
		if (m->type != '{')
			buf_adds(check_fault(c, u->name), "must be an object");
		break;
	case CHECK_BOOLEAN:
		if (m->type != 't' && m->type != 'f')
			buf_adds(check_fault(c, u->name), "must be true or false");
		break;
	case CHECK_NUMBER:
		if (m->type != '0')
			buf_adds(check_fault(c, u->name), "must be a number");
		break;
	}
}

void
check_members(struct check *c, const struct check_rule *rules, const struct rec *r)
{
	for (const struct check_rule *u = rules; u->name; u++) {
		const struct rec_member *m = rec_get(r, u->name);

		if (m && !(m->type == 'n' && c->nulls && !u->required))
			check_member(c, u, m);
		else if (!m && u->required)
			buf_adds(check_fault(c, u->name), "is missing");
	}
}
