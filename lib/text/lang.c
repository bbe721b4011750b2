#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/lang.h"
#include "text/words.h"

enum { SAMPLE = 32 << 10, WORD_MAX = 24, SLOTS = 2048 };

struct word {
	const char *p;
	unsigned len;
	uint32_t mask;
};

static struct word words[SLOTS];        /* open addressing; filled once */
static bool filled;

static struct word *
slot(const char *p, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619U;
	for (;; h++) {
		struct word *w = &words[h % SLOTS];

		if (!w->p || (w->len == len && memcmp(w->p, p, len) == 0))
			return w;
	}
}

static void
fill(void)
{
	for (unsigned l = 0; l < WORDS_LANGS; l++)
		for (const char *p = words_langs[l].words; *p; p += *p == ' ') {
			size_t n = strcspn(p, " ");
			struct word *w = slot(p, n);

			w->p = p;
			w->len = (unsigned)n;
			w->mask |= 1U << l;
			p += n;
		}
	filled = true;
}

struct count {
	size_t words, letters;
	size_t latin, cyrillic, greek, hebrew, arabic, persian, han, kana, hangul, thai, nagari, other;
	double score[WORDS_LANGS];
};

/* The code point at p, *n its length; broken bytes count as spaces. */
static uint32_t
next(const unsigned char *p, const unsigned char *end, size_t *n)
{
	size_t len = *p < 0x80 ? 1 : *p < 0xC2 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF5 ? 4 : 0;
	uint32_t u;

	*n = 1;
	if (!len || (size_t)(end - p) < len)
		return ' ';
	u = len == 1 ? *p : *p & (0x7FU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return ' ';
		u = u << 6 | (p[i] & 0x3FU);
	}
	*n = len;
	return u;
}

static uint32_t
small(uint32_t u)
{
	if ((u >= 'A' && u <= 'Z') || (u >= 0xC0 && u <= 0xDE && u != 0xD7) || (u >= 0x410 && u <= 0x42F))
		return u + 32;
	if (u >= 0x400 && u <= 0x40F)
		return u + 80;
	if ((u >= 0x100 && u < 0x138) || (u >= 0x14A && u < 0x178) || (u >= 0x218 && u < 0x21C) || u == 0x490)
		return u | 1;
	if ((u >= 0x139 && u < 0x149) || (u >= 0x179 && u < 0x17F))
		return u + (u & 1);
	return u;
}

/* Counts a letter for its script; false for what is no letter. */
static bool
letter(struct count *c, uint32_t u)
{
	size_t *at = NULL;

	if ((u >= 'a' && u <= 'z') || (u >= 0xDF && u < 0x250 && u != 0xF7))
		at = &c->latin;
	else if (u >= 0x370 && u < 0x400)
		at = &c->greek;
	else if (u >= 0x400 && u < 0x530)
		at = &c->cyrillic;
	else if (u >= 0x590 && u < 0x600)
		at = &c->hebrew;
	else if (u >= 0x600 && u < 0x780)
		at = &c->arabic;
	else if (u >= 0x900 && u < 0x980 && u != 0x964 && u != 0x965)
		at = &c->nagari;        /* its full stops serve other scripts, too */
	else if (u >= 0xE00 && u < 0xE80)
		at = &c->thai;
	else if (u >= 0x3040 && u < 0x3100)
		at = &c->kana;
	else if ((u >= 0x3400 && u < 0xA000) || (u >= 0xF900 && u < 0xFB00) || (u >= 0x20000 && u < 0x30000))
		at = &c->han;
	else if (u >= 0xAC00 && u < 0xD7B0)
		at = &c->hangul;
	else if (u >= 0x530 && u < 0x2000)
		at = &c->other;
	if (!at)
		return false;
	++*at;
	c->letters++;
	c->persian += u == 0x67E || u == 0x686 || u == 0x698 || u == 0x6AF || u == 0x6CC;
	return true;
}

static size_t
encode(char *p, uint32_t u)
{
	if (u < 0x80) {
		p[0] = (char)u;
		return 1;
	}
	p[0] = (char)(0xC0 | u >> 6);
	p[1] = (char)(0x80 | (u & 0x3F));
	return 2;
}

/* Two-byte letters say more than single words do. */
static void
mark(struct count *c, const char *p)
{
	for (unsigned l = 0; l < WORDS_LANGS; l++)
		for (const char *q = words_langs[l].letters; *q; q += 2)
			if (q[0] == p[0] && q[1] == p[1])
				c->score[l] += 0.25;
}

static void
known(struct count *c, const char *p, size_t len)
{
	uint32_t m = len ? slot(p, len)->mask : 0;
	unsigned share = (unsigned)__builtin_popcount(m);

	c->words += len > 0;
	for (unsigned l = 0; m; l++, m >>= 1)
		if (m & 1)
			c->score[l] += share > 3 ? 0.4 : share > 1 ? 0.7 : 1.0;
}

static void
look(struct count *c, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	char word[WORD_MAX + 2];
	size_t n = 0, step;

	for (; p < end; p += step) {
		uint32_t u = small(next(p, end, &step));

		if (!letter(c, u)) {
			known(c, word, n <= WORD_MAX ? n : 0);
			n = 0;
		} else if (u < 0x800 && n <= WORD_MAX) {
			step = u < 0x80 ? 1 : step;
			n += encode(word + n, u);
			if (u >= 0x80)
				mark(c, word + n - 2);
		}
	}
	known(c, word, n <= WORD_MAX ? n : 0);
}

/* The best of the languages whose words were counted, if it is clear. */
static const char *
best(const struct count *c, unsigned from, unsigned to)
{
	double first = 0, second = 0;
	unsigned at = from;

	for (unsigned l = from; l < to; l++) {
		if (c->score[l] > first) {
			second = first;
			first = c->score[l];
			at = l;
		} else if (c->score[l] > second) {
			second = c->score[l];
		}
	}
	if (first < 1.5 || first < second * 1.1 || first < 0.08 * (double)c->words)
		return "und";
	return words_langs[at].code;
}

const char *
lang_detect(const char *p, size_t len)
{
	struct count c = { 0 };
	size_t half;

	if (!filled)
		fill();
	look(&c, p, len < SAMPLE ? len : SAMPLE);
	if (len > (size_t)3 * SAMPLE) {
		look(&c, p + len / 2, SAMPLE);
		look(&c, p + len - SAMPLE, SAMPLE);
	} else if (len > SAMPLE) {
		look(&c, p + SAMPLE, len - SAMPLE);
	}
	if (c.letters < 2)
		return "und";
	half = c.letters / 2;
	/* A few ideographs say as much as a sentence of letters. */
	if (c.kana * 12 > c.letters)
		return "ja";
	if (c.hangul * 3 > c.letters)
		return "ko";
	if (c.han * 3 > c.letters)
		return "zh";
	if (c.greek > half)
		return "el";
	if (c.hebrew > half)
		return "he";
	if (c.arabic > half)
		return c.persian * 50 > c.arabic ? "fa" : "ar";
	if (c.nagari > half)
		return "hi";
	if (c.thai > half)
		return "th";
	if (c.cyrillic > half)
		return best(&c, WORDS_CYRILLIC, WORDS_LANGS);
	return best(&c, 0, WORDS_CYRILLIC);
}
