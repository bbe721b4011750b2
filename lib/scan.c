#include "scan.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json.h"

bool
scan_fail(struct scan *s, enum rec_status st)
{
	s->st = st;
	return false;
}

void
scan_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

const char *
scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' ');

	for (; end - p >= 16; p += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* signed: bytes from 0x80 are below ' ' as well */
		__m128i stop = _mm_or_si128(_mm_cmplt_epi8(x, space),
		    _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)));
		int mask = _mm_movemask_epi8(stop);

		if (mask)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 &&
	    *p != '"' && *p != '\\')
		p++;
	return p;
}

static int
hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v |= (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

/* At a backslash. */
static bool
scan_escape(struct scan *s)
{
	int u;

	if (s->end - s->p < 2)
		return scan_fail(s, REC_SYNTAX);
	if (s->p[1] != 'u') {
		if (!s->p[1] || !strchr("\"\\/bfnrt", s->p[1]))
			return scan_fail(s, REC_SYNTAX);
		s->p += 2;
		return true;
	}
	u = hex4(s->p + 2, s->end);
	if (u < 0)
		return scan_fail(s, REC_SYNTAX);
	if (u >= 0xd800 && u < 0xe000) {
		int low = s->end - s->p >= 12 && s->p[6] == '\\' && s->p[7] == 'u' ?
		    hex4(s->p + 8, s->end) : -1;

		if (u >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
			return scan_fail(s, REC_SURROGATE);
		s->p += 6;
	}
	s->p += 6;
	return true;
}

/* The common sequences here, the rare ones (overlong, surrogates, beyond
 * U+FFFF) by utf8_len. */
static bool
scan_utf8(struct scan *s)
{
	const unsigned char *p = (const unsigned char *)s->p, *end = (const unsigned char *)s->end;

	while (p < end && *p >= 0x80) {
		size_t n;

		if (*p >= 0xc2 && *p < 0xe0 && end - p >= 2 && (p[1] & 0xc0) == 0x80) {
			p += 2;
		} else if (*p > 0xe0 && *p < 0xf0 && *p != 0xed && end - p >= 3 &&
		    (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
			p += 3;
		} else if ((n = utf8_len((const char *)p, s->end)) > 0) {
			p += n;
		} else {
			s->p = (const char *)p;
			return scan_fail(s, REC_UTF8);
		}
	}
	s->p = (const char *)p;
	return true;
}

bool
scan_string(struct scan *s, bool *escaped)
{
	if (escaped)
		*escaped = false;
	s->p++;
	for (;;) {
		s->p = scan_plain(s->p, s->end);
		if (s->p == s->end)
			return scan_fail(s, REC_SYNTAX);
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p == '\\') {
			if (escaped)
				*escaped = true;
			if (!scan_escape(s))
				return false;
		} else if ((unsigned char)*s->p < 0x20) {
			return scan_fail(s, REC_SYNTAX);
		} else if (!scan_utf8(s)) {
			return false;
		}
	}
}

static bool
scan_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from || scan_fail(s, REC_SYNTAX);
}

static bool
scan_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!scan_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p | 0x20) == 'e') {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		return scan_digits(s);
	}
	return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return scan_fail(s, REC_SYNTAX);
	s->p += n;
	return true;
}

/* Past "key" and the colon, at the value. */
static bool
scan_key(struct scan *s)
{
	if (s->p == s->end || *s->p != '"')
		return scan_fail(s, REC_SYNTAX);
	if (!scan_string(s, NULL))
		return false;
	scan_space(s);
	if (s->p == s->end || *s->p != ':')
		return scan_fail(s, REC_SYNTAX);
	s->p++;
	scan_space(s);
	return true;
}

static bool
scan_container(struct scan *s, int depth)
{
	char close = *s->p == '{' ? '}' : ']';

	if (depth >= REC_DEPTH)
		return scan_fail(s, REC_TOO_DEEP);
	s->p++;
	scan_space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		return true;
	}
	for (;;) {
		if (close == '}' && !scan_key(s))
			return false;
		if (!scan_value(s, depth + 1))
			return false;
		scan_space(s);
		if (s->p == s->end || (*s->p != ',' && *s->p != close))
			return scan_fail(s, REC_SYNTAX);
		if (*s->p++ == close)
			return true;
		scan_space(s);
	}
}

bool
scan_value(struct scan *s, int depth)
{
	if (s->p == s->end)
		return scan_fail(s, REC_SYNTAX);
	switch (*s->p) {
	case '"': return scan_string(s, NULL);
	case '{':
	case '[': return scan_container(s, depth);
	case 't': return scan_word(s, "true");
	case 'f': return scan_word(s, "false");
	case 'n': return scan_word(s, "null");
	case '-':
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return scan_number(s);
	}
	return scan_fail(s, REC_SYNTAX);
}
