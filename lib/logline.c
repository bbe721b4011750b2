#include "logline.h"

#include <string.h>

#include "words.h"

static bool
is_program(const char *p, size_t len)
{
	if (*p < 'a' || *p > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((p[i] < 'a' || p[i] > 'z') && (p[i] < '0' || p[i] > '9') && p[i] != '-')
			return false;
	return !words_have("debug error fatal info note usage warning", " ", p, len);
}

static size_t
name_of(const char *p, size_t len, const char *known)
{
	const char *colon = memchr(p, ':', len < LOGLINE_NAME + 1 ? len : LOGLINE_NAME + 1);
	size_t n = colon ? (size_t)(colon - p) : 0;

	if (!n || n + 1 >= len || p[n + 1] != ' ' || (n == strlen(LOGLINE_OTHER) && memcmp(p, LOGLINE_OTHER, n) == 0))
		return 0;
	return words_have(known, " ", p, n) || is_program(p, n) ? n : 0;
}

bool
logline_next(struct logline *l, const char *log, size_t len, size_t *at, const char *known)
{
	const char *lf;

	if (*at >= len)
		return false;
	l->p = log + *at;
	lf = memchr(l->p, '\n', len - *at);
	l->len = lf ? (size_t)(lf + 1 - l->p) : len - *at;
	l->name = name_of(l->p, l->len, known);
	*at += l->len;
	return true;
}

bool
logline_is(const struct logline *l, const char *stage)
{
	if (!stage)
		return true;
	if (strcmp(stage, LOGLINE_OTHER) == 0)
		return !l->name;
	return l->name && strlen(stage) == l->name && memcmp(l->p, stage, l->name) == 0;
}
