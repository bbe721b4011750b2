/* feed_hint.c - what stages say about themselves: lines that may be lost. */
#include "feed_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hints.h"
#include "json.h"
#include "now.h"

enum { HINTS_A_TURN = 4096 };

/* The histogram of a stage. A filter has few, and always the same. */
static struct metrics_hist *
hist(const char *stage)
{
	static struct stage_hist {
		char name[sizeof(((struct stage_time *)0)->name)];
		struct metrics_hist *h;
	} known[FEED_STAGES];
	struct stage_hist *k = known;

	for (; k < known + FEED_STAGES && k->h; k++)
		if (strcmp(k->name, stage) == 0)
			return k->h;
	if (k == known + FEED_STAGES)
		return metrics_hist("stage_seconds", stage);
	snprintf(k->name, sizeof(k->name), "%s", stage);
	return k->h = metrics_hist("stage_seconds", stage);
}

static void
add_time(struct slot *s, const char *stage, size_t len, uint64_t us)
{
	struct stage_time *t = s->time;

	if (len >= sizeof(t->name))
		len = sizeof(t->name) - 1;
	for (; t < s->time + s->ntimes; t++)
		if (strlen(t->name) == len && memcmp(t->name, stage, len) == 0) {
			t->us += us;
			t->again = true;
			return;
		}
	if (s->ntimes == FEED_STAGES)
		return;
	memcpy(t->name, stage, len);
	t->name[len] = '\0';
	t->us = us;
	t->again = false;
	s->ntimes++;
}

void
feed_observe(const struct slot *s)
{
	for (size_t i = 0; i < s->ntimes; i++)
		metrics_observe(hist(s->time[i].name), s->time[i].us);
}

/* The digits there: the line has no NUL to stop at. */
static uint64_t
number(const char *p, const char *end)
{
	uint64_t n = 0;

	while (p < end && *p >= '0' && *p <= '9' && n < UINT64_MAX / 100)
		n = n * 10 + (uint64_t)(*p++ - '0');
	return n;
}

/* "t STAGE TOKEN USEC" or "p STAGE TOKEN TEXT". */
static void
on_hint(struct feed *f, const char *line, size_t len)
{
	const char *end = line + len, *stage = line + 2, *token, *rest;
	struct rec_member m = { .type = '"' };
	struct slot *s;

	if (len < 2 || line[1] != ' ' || (line[0] != 't' && line[0] != 'p'))
		return;
	token = memchr(stage, ' ', (size_t)(end - stage));
	rest = token ? memchr(token + 1, ' ', (size_t)(end - token - 1)) : NULL;
	if (!rest)
		return;
	m.val = token + 1;
	m.val_len = (size_t)(rest - m.val);
	rest++;
	s = slot_find(f, &m);
	if (!s)
		return;
	if (line[0] == 't')
		add_time(s, stage, (size_t)(token - stage), number(rest, end));
	else
		snprintf(s->progress, sizeof(s->progress), "%.*s: %.*s", (int)(token - stage), stage,
		    (int)(end - rest), rest);
	if (f->o.nested && s->outer.len)
		hints_add(line[0], stage, (size_t)(token - stage), s->outer.p, s->outer.len, rest,
		    (size_t)(end - rest));
}

void
feed_read_hints(struct feed *f)
{
	const char *line;
	size_t len;

	if (f->filter.hints < 0)
		return;
	for (int i = 0; i < HINTS_A_TURN; i++) {
		enum in_status st = in_rec(&f->hints, &line, &len);

		if (st == IN_REC)
			on_hint(f, line, len);
		else if (st != IN_LONG)
			break;
	}
	if (f->o.nested)
		hints_flush();
}

void
feed_took(struct feed *f, struct slot *s)
{
	const char *stage = f->o.label;
	char text[24];
	uint64_t us;

	if (!f->o.nested || f->o.window != 1 || !f->o.hints || !stage)
		return;
	us = (uint64_t)(now_us() - s->sent_us);
	/* What the copy said of it may have come since we looked; it came before the answer. */
	if (!s->ntimes)
		feed_read_hints(f);
	if (s->ntimes)
		return;
	add_time(s, stage, strlen(stage), us);
	if (s->outer.len)
		hints_add('t', stage, strlen(stage), s->outer.p, s->outer.len, text,
		    (size_t)snprintf(text, sizeof(text), "%" PRIu64, us));
	hints_flush();
}

const char *
feed_timings(struct feed *f, uint64_t tag)
{
	struct slot *s = f->current;

	if (!s || s->tag != tag || !s->ntimes)
		return NULL;
	f->times.len = 0;
	for (size_t i = 0; i < s->ntimes; i++) {
		buf_addc(&f->times, i ? ',' : '{');
		json_quotes(&f->times, s->time[i].name);
		buf_addc(&f->times, ':');
		buf_addn(&f->times, (int64_t)s->time[i].us);
	}
	buf_addc(&f->times, '}');
	return buf_str(&f->times);
}
