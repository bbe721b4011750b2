#include "stage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "hints.h"
#include "now.h"

enum { PROGRESS_US = 1000000 };

static void
hint(const struct stage *s, char kind, const char *text, size_t len)
{
	const struct rec_member *feed = rec_get(&s->rec, "feed");
	const char *name = err_prog();

	if (feed)
		hints_add(kind, name, strlen(name), feed->val, feed->val_len, text, len);
}

void
stage_hint_begin(struct stage *s)
{
	s->hint.from_us = (uint64_t)now_us();
	s->hint.running = true;
}

void
stage_hint_end(struct stage *s)
{
	if (s->hint.running && !s->hint.by_hand)
		stage_took(s, (uint64_t)now_us() - s->hint.from_us);
	s->hint.running = false;
}

uint64_t
stage_clock(const struct stage *s)
{
	return s->hint.wanted ? (uint64_t)now_us() : 0;
}

void
stage_took(struct stage *s, uint64_t us)
{
	char text[24];

	if (s->hint.wanted)
		hint(s, 't', text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, us));
}

bool
stage_progress_due(struct stage *s)
{
	uint64_t now = stage_clock(s);

	if (!s->hint.wanted || now - s->hint.said_us < PROGRESS_US)
		return false;
	s->hint.said_us = now;
	return true;
}

void
stage_progress(struct stage *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->hint.wanted && n > 0)
		hint(s, 'p', text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
	hints_flush();
}
