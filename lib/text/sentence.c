#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/sentence.h"

enum { LOOK_BACK = 16 };

/* In strcasecmp order. Words that a period follows inside a sentence. */
static const char *const abbreviations[] = {
	"Abb", "abs", "al", "approx", "apr", "art", "aug", "Ave", "bd", "bzw", "ca", "cap", "cf",
	"ch", "cit", "co", "corp", "Dec", "dept", "dr", "ed", "eds", "eq", "est", "evtl", "fam",
	"feb", "fig", "figs", "fr", "gen", "ggf", "gov", "hr", "ibid", "inc", "incl", "inkl", "jan",
	"jr", "jul", "jun", "lt", "ltd", "mar", "max", "min", "Mlle", "Mme", "mr", "mrs", "ms", "nov",
	"np", "nr", "Oct", "op", "pp", "prof", "ref", "refs", "resp", "rev", "sec", "Sen", "sep",
	"Sept", "sig", "sog", "sr", "sra", "st", "tab", "tj", "tzn", "ver", "vgl", "viz", "vol",
	"vols", "vs",
};

static bool
starts(const char *p, const char *end, const char *s, size_t n)
{
	return (size_t)(end - p) >= n && memcmp(p, s, n) == 0;
}

size_t
sentence_space(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	if (c == 0xC2)
		return starts(p, end, "\xC2\xA0", 2) || starts(p, end, "\xC2\x85", 2) ? 2 : 0;
	if (c == 0xE3)
		return starts(p, end, "\xE3\x80\x80", 3) ? 3 : 0;
	if (c != 0xE2 || end - p < 3)
		return 0;
	c = (unsigned char)p[2];
	if (p[1] == '\x80')
		return (c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF ? 3 : 0;
	return p[1] == '\x81' && c == 0x9F ? 3 : 0;
}

size_t
sentence_trim(const char *p, size_t len)
{
	while (len) {
		size_t n = 1;

		while (n < 3 && n < len && ((unsigned char)p[len - n] & 0xC0) == 0x80)
			n++;
		if (sentence_space(p + len - n, p + len) != n)
			break;
		len -= n;
	}
	return len;
}

/* Length of the terminator at p, 0 if none. *wide: it needs no space behind it. */
static size_t
terminator(const char *p, const char *end, bool *wide)
{
	static const char *const far[] = { "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F", "\xEF\xBD\xA1" };
	static const char *const near[] = { "\xE2\x80\xA6", "\xE0\xA5\xA4", "\xE0\xA5\xA5", "\xE2\x80\xBC",
	    "\xE2\x81\x87", "\xE2\x81\x88", "\xE2\x81\x89" };
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return c == '.' || c == '!' || c == '?';
	if (c == 0xD8 || c == 0xDB)
		return starts(p, end, "\xD8\x9F", 2) || starts(p, end, "\xDB\x94", 2) ? 2 : 0;
	if (c < 0xE0)
		return 0;
	for (size_t i = 0; i < sizeof far / sizeof *far; i++)
		if (starts(p, end, far[i], 3)) {
			*wide = true;
			return 3;
		}
	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		if (starts(p, end, near[i], 3))
			return 3;
	return 0;
}

/* Length of a closing quote or bracket at p, 0 if none. */
static size_t
closer(const char *p, const char *end)
{
	static const char *const wide[] = { "\xE2\x80\x9D", "\xE2\x80\x99", "\xE2\x80\x9C", "\xE2\x80\xBA",
	    "\xE3\x80\x8D", "\xE3\x80\x8F", "\xE3\x80\x91", "\xE3\x80\x8B", "\xEF\xBC\x89" };

	if (*p == ')' || *p == ']' || *p == '"' || *p == '\'' || *p == '}')
		return 1;
	if (starts(p, end, "\xC2\xBB", 2))
		return 2;
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (starts(p, end, wide[i], 3))
			return 3;
	return 0;
}

/* Small letters of the Latin, Greek and Cyrillic scripts, as far as needed. */
static bool
small_letter(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p, d = end - p > 1 ? (unsigned char)p[1] : 0;

	if (c < 0x80)
		return c >= 'a' && c <= 'z';
	return (c == 0xC3 && d >= 0x9F && d != 0xB7) || (c == 0xCE && d >= 0xB1) || (c == 0xCF && d < 0x8F) ||
	    (c == 0xD0 && d >= 0xB0) || (c == 0xD1 && d < 0xA0) || ((c == 0xC4 || c == 0xC5) && d % 2);
}

static bool
word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static int
by_word(const void *key, const void *e)
{
	return strcasecmp(key, *(const char *const *)e);
}

/* The period at p[i] belongs to the word before it. from: the sentence's start. */
static bool
abbreviated(const char *p, size_t from, size_t i)
{
	char word[LOOK_BACK + 1];
	size_t b = i, low = i - from > LOOK_BACK ? i - LOOK_BACK : from, digits;

	while (b > low && p[b - 1] >= '0' && p[b - 1] <= '9')
		b--;
	digits = i - b;
	if (digits)             /* "3." of a list or a date, not a year */
		return digits <= 2 && (b == from || !word_byte(p[b - 1])) && (b == from || p[b - 1] != '.');
	while (b > low && word_byte(p[b - 1]))
		b--;
	if (b == i)
		return false;
	if (i - b == 1 || (i - b == 2 && ((unsigned char)p[b] & 0xE0) == 0xC0))
		return true;    /* an initial, or the end of "e.g." */
	memcpy(word, p + b, i - b);
	word[i - b] = 0;
	return bsearch(word, abbreviations, sizeof abbreviations / sizeof *abbreviations,
	    sizeof *abbreviations, by_word) != NULL;
}

/* Past white space from i; *lines counts line ends, a form feed as two. */
static size_t
skip(const char *p, size_t len, size_t i, int *lines)
{
	size_t n;

	for (; i < len && (n = sentence_space(p + i, p + len)); i += n) {
		if (p[i] == '\n')
			(*lines)++;
		else if (p[i] == '\f' || starts(p + i, p + len, "\xE2\x80\xA9", 3))
			*lines += 2;
	}
	return i;
}

/* The line at p begins as an item of a list does. */
static bool
item(const char *p, const char *end)
{
	size_t n = 0;

	if (starts(p, end, "\xE2\x80\xA2", 3) || starts(p, end, "\xE2\x80\x93 ", 4))
		return true;
	if (end - p > 1 && (*p == '-' || *p == '*' || *p == '+' || *p == '#'))
		return p[1] == ' ' || p[1] == '\t' || p[1] == '#';
	while (n < 3 && p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n && end - p > (ptrdiff_t)n + 1 && (p[n] == '.' || p[n] == ')') && p[n + 1] == ' ';
}

/* Past a run of terminators and what closes behind it. i is at the first. *end:
 * the run ends a sentence if what follows agrees. */
static size_t
stop(const char *p, size_t len, size_t from, size_t i, bool *ends, bool *wide)
{
	size_t first = i, n;

	while (i < len && (n = terminator(p + i, p + len, wide)))
		i += n;
	*ends = i - first > 1 || p[first] != '.' || !abbreviated(p, from, first);
	while (i < len && (n = closer(p + i, p + len)))
		i += n;
	return i;
}

size_t
sentence_next(const char *p, size_t len, size_t at, bool *para)
{
	size_t i = at, next;
	bool tab = false, wide, ends;
	int lines;

	*para = false;
	while (i < len) {
		unsigned char c = (unsigned char)p[i];

		lines = 0;
		wide = ends = false;
		if (c == '\n' || c == '\f' || c == 0xE2) {
			next = skip(p, len, i, &lines);
			if (lines > 1 || (lines && next < len && (tab || item(p + next, p + len))))
				break;
			tab = tab && !lines;
			if (next > i) {
				i = next;
				continue;
			}
		}
		tab = tab || c == '\t';
		if (!terminator(p + i, p + len, &wide)) {
			i++;
			continue;
		}
		i = stop(p, len, at, i, &ends, &wide);
		next = skip(p, len, i, &lines);
		if (wide || lines > 1 || next == len)
			break;
		if (ends && next > i && !small_letter(p + next, p + len))
			break;
	}
	lines = 0;
	next = skip(p, len, i, &lines);
	*para = lines > 1;
	return next;
}
