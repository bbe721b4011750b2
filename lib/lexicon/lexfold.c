#include "lexicon/lexfold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "embed/uni.h"
#include "json.h"

#define D(c) [c] = c
#define L(c) [c] = c, [c - 32] = c
const unsigned char lex_ascii[256] = {
	['\t'] = LEX_BLANK, ['\n'] = LEX_BLANK, ['\v'] = LEX_BLANK, ['\f'] = LEX_BLANK, ['\r'] = LEX_BLANK, [' '] = LEX_BLANK, ['-'] = LEX_BLANK,
	['!'] = LEX_SIGN, ['"'] = LEX_SIGN, ['#'] = LEX_SIGN, ['$'] = LEX_SIGN, ['%'] = LEX_SIGN, ['&'] = LEX_SIGN, ['\''] = LEX_SIGN, ['('] = LEX_SIGN,
	[')'] = LEX_SIGN, ['*'] = LEX_SIGN, ['+'] = LEX_SIGN, [','] = LEX_SIGN, ['.'] = LEX_SIGN, ['/'] = LEX_SIGN, [':'] = LEX_SIGN, [';'] = LEX_SIGN,
	['<'] = LEX_SIGN, ['='] = LEX_SIGN, ['>'] = LEX_SIGN, ['?'] = LEX_SIGN, ['@'] = LEX_SIGN, ['['] = LEX_SIGN, ['\\'] = LEX_SIGN, [']'] = LEX_SIGN,
	['^'] = LEX_SIGN, ['_'] = LEX_SIGN, ['`'] = LEX_SIGN, ['{'] = LEX_SIGN, ['|'] = LEX_SIGN, ['}'] = LEX_SIGN, ['~'] = LEX_SIGN,
	D('0'), D('1'), D('2'), D('3'), D('4'), D('5'), D('6'), D('7'), D('8'), D('9'),
	L('a'), L('b'), L('c'), L('d'), L('e'), L('f'), L('g'), L('h'), L('i'), L('j'), L('k'), L('l'), L('m'), L('n'), L('o'),
	L('p'), L('q'), L('r'), L('s'), L('t'), L('u'), L('v'), L('w'), L('x'), L('y'), L('z'),
};

/* Letters that Unicode's decomposition leaves as they are, and may leave behind. */
static const struct { uint32_t cp; const char *s; } apart[] = {
	{ 0xb5, "\xce\xbc" }, { 0xc6, "ae" }, { 0xd8, "o" }, { 0xdf, "ss" }, { 0xe6, "ae" }, { 0xf8, "o" },
	{ 0x110, "d" }, { 0x111, "d" }, { 0x131, "i" }, { 0x132, "ij" }, { 0x133, "ij" }, { 0x141, "l" }, { 0x142, "l" },
	{ 0x152, "oe" }, { 0x153, "oe" }, { 0x17f, "s" }, { 0x3c2, "\xcf\x83" }, { 0x3d0, "\xce\xb2" }, { 0x3d1, "\xce\xb8" },
	{ 0x3d5, "\xcf\x86" }, { 0x3d6, "\xcf\x80" }, { 0x3f0, "\xce\xba" }, { 0x3f1, "\xcf\x81" }, { 0x3f5, "\xce\xb5" },
	{ 0x1e9e, "ss" }, { 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" }, { 0xfb03, "ffi" }, { 0xfb04, "ffl" },
	{ 0xfb05, "st" }, { 0xfb06, "st" },
};

/* Symbols that the normaliser keeps as if they were letters. */
static bool
symbol(uint32_t c)
{
	return (c >= 0xa1 && c < 0xc0 && c != 0xaa && c != 0xb5 && c != 0xba) || c == 0xd7 || c == 0xf7 ||
	    (c >= 0x2000 && c < 0x2080) || (c >= 0x208a && c < 0x2090) || (c >= 0x20a0 && c < 0x2c00) ||
	    (c >= 0x3000 && c < 0x3040);
}

/* c in UTF-8; returns its bytes. */
static unsigned
put(char *s, uint32_t c)
{
	unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (unsigned i = n; --i > 0; c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(n == 1 ? c : (0xf0u << (4 - n) & 0xff) | c);
	return n;
}

static uint32_t
code_point(const unsigned char *u, size_t n)
{
	uint32_t c = u[0] & (0xffu >> (n + 1));

	for (size_t k = 1; k < n; k++)
		c = c << 6 | (u[k] & 0x3f);
	return c;
}

/* What stands in for a character before its class is looked up: ASCII for what
 * only looks otherwise; 0 for itself. */
static uint32_t
stand_in(uint32_t c)
{
	if (c == 0x2018 || c == 0x2019 || c == 0x2bc || c == 0x2032 || c == 0xb4 || c == 0xff07)
		return '\'';
	if (c == 0x201c || c == 0x201d || c == 0xff02)
		return '"';
	if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x200b || c == 0xae || c == 0x2122 || c == 0xa9 || c == 0xff0d)
		return ' ';
	if (c >= 0x2080 && c <= 0x2089)
		return '0' + (c - 0x2080);
	if (c > 0xff00 && c < 0xff5f)
		return c - 0xfee0;
	return 0;
}

/* One more letter, or what it is taken apart into: true then. */
static bool
put_letter(struct lex_glyph *g, uint32_t c)
{
	for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
		if (apart[i].cp == c) {
			memcpy(g->s + g->n, apart[i].s, strlen(apart[i].s));
			g->n += (unsigned)strlen(apart[i].s);
			return true;
		}
	g->n += put(g->s + g->n, c);
	return false;
}

/* A syllable as Unicode composes it of a leading consonant, a vowel and maybe a
 * consonant behind. */
static void
put_hangul(struct lex_glyph *g, uint32_t c)
{
	enum { FIRST = 0xac00, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11a7, VOWELS = 21, TAILS = 28 };
	uint32_t i = c - FIRST;

	g->n += put(g->s + g->n, LEAD + i / (VOWELS * TAILS));
	g->n += put(g->s + g->n, VOWEL + i / TAILS % VOWELS);
	if (i % TAILS)
		g->n += put(g->s + g->n, TAIL + i % TAILS);
}

/* What Unicode makes of it. */
static void
by_class(struct lex_glyph *g, uint32_t c)
{
	unsigned class = uni_class(c);

	g->kind = LEX_LETTER;
	switch (class) {
	case UNI_DROP: g->kind = LEX_GONE; return;
	case UNI_SPACE: g->kind = LEX_SPACE; return;
	case UNI_ALONE: g->kind = LEX_ALONE; break;
	case UNI_KEEP: g->kind = symbol(c) ? LEX_ALONE : LEX_LETTER; break;
	case UNI_HANGUL: put_hangul(g, c); return;
	default:
		for (uint32_t i = 0, n = uni_pool[class - UNI_MAP]; i < n && g->n + 4 <= sizeof g->s; i++)
			put_letter(g, uni_pool[class - UNI_MAP + 1 + i]);
		if (uni_class(uni_pool[class - UNI_MAP + 1]) == UNI_ALONE)
			g->kind = LEX_ALONE;
		return;
	}
	g->n = put(g->s, c);
}

/* Of Hangul or kana: it says as much as two letters, and so does an ideograph. */
static bool
syllable(uint32_t c)
{
	return (c >= 0xac00 && c < 0xd7a4) || (c >= 0x3041 && c < 0x3100);
}

size_t
lex_glyph(const char *p, const char *end, struct lex_glyph *g)
{
	size_t n = utf8_len(p, end);
	uint32_t c, as;

	g->n = g->letters = 0;
	g->kind = LEX_SPACE;
	if (!n)
		return 1;
	c = code_point((const unsigned char *)p, n);
	as = stand_in(c);
	if (as) {
		unsigned f = lex_ascii[as];

		g->kind = f == LEX_BLANK ? LEX_SPACE : f == LEX_SIGN ? LEX_ALONE : LEX_LETTER;
		g->letters = f >= 'a';
		g->s[g->n++] = (char)(f == LEX_SIGN ? as : f);
		return n;
	}
	if (put_letter(g, c)) {
		g->kind = LEX_LETTER;
	} else {
		g->n = 0;
		by_class(g, c);
	}
	g->letters = g->kind == LEX_ALONE ? (g->n > 2 ? 2 : 0) : syllable(c) ? 2 : 1;
	return n;
}
