#include "series.h"

#include <math.h>

#include "fill.h"
#include "when.h"

#define BUCKET INT64_C(10000000)        /* as stat_roll makes them */
#define LEAST (60 * BUCKET)
#define MOST (7 * 24 * 360 * BUCKET)

static void
clear(struct series *s)
{
	for (size_t i = 0; i < PLOT_POINTS; i++) {
		s->completed[i] = s->failed[i] = s->admitted[i] = 0;
		s->p50[i] = s->p95[i] = NAN;
	}
}

static double
count(const struct rec *r, const char *name)
{
	double v = fill_num(r, name, 0);

	return v > 0 ? v : 0;
}

static void
add(struct series *s, const struct rec *r)
{
	int64_t at = fill_time(r, "at"), i;
	double per = 1e6 / (double)s->step_us, ms;

	if (at == WHEN_NONE || at < s->from_us)
		return;
	i = (at - s->from_us) / s->step_us;
	if (i >= (int64_t)s->n)
		return;
	s->completed[i] += count(r, "completed") * per;
	s->failed[i] += count(r, "failed") * per;
	s->admitted[i] += count(r, "admitted") * per;
	ms = fill_num(r, "p50_ms", NAN);
	if (!(s->p50[i] > ms))
		s->p50[i] = ms;
	ms = fill_num(r, "p95_ms", NAN);
	if (!(s->p95[i] > ms))
		s->p95[i] = ms;
}

static bool
any(const struct rec *r)
{
	static const char *const names[] = { "completed", "failed", "admitted", "cancelled", "retried" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fill_num(r, names[i], 0) > 0)
			return true;
	return false;
}

/* From when anything happened up to the last bucket that was counted, unless that was long ago. */
static void
span(struct series *s, const struct rec *list, int64_t now)
{
	static struct rec r;
	int64_t first = INT64_MAX, last = 0, end, long_us;

	for (size_t i = 0; i < list->n; i++) {
		int64_t at = fill_item(&r, list, i) ? fill_time(&r, "at") : WHEN_NONE;

		if (at == WHEN_NONE || at > now)
			continue;
		if (any(&r))
			first = at < first ? at : first;
		last = at > last ? at : last;
	}
	if (!last)
		return;
	end = now - last > 6 * BUCKET ? now : last + BUCKET;
	long_us = first > end ? 0 : end - first;
	long_us = long_us < LEAST ? LEAST : long_us > MOST ? MOST : long_us;
	s->step_us = (long_us + PLOT_POINTS * BUCKET - 1) / (PLOT_POINTS * BUCKET) * BUCKET;
	s->n = (size_t)((long_us + s->step_us - 1) / s->step_us);
	s->from_us = end - s->step_us * (int64_t)s->n;
	if (s->from_us < 0)
		s->n = 0;
}

void
series_read(struct series *s, const struct rec *stats, int64_t now_us)
{
	static struct rec list, r;

	s->n = 0;
	clear(s);
	if (!fill_list(&list, stats, "series"))
		return;
	span(s, &list, now_us);
	for (size_t i = 0; s->n && i < list.n; i++)
		if (fill_item(&r, &list, i))
			add(s, &r);
}
