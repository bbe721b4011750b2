/* series.h - the series of GET /v1/stats in steps of equal length, for plots. Internal to lib/page. */
#ifndef PAGE_SERIES_H
#define PAGE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "plot.h"
#include "rec.h"

struct series {
	size_t n;               /* at most PLOT_POINTS; 0: nothing is known */
	int64_t from_us, step_us;
	double completed[PLOT_POINTS], failed[PLOT_POINTS], admitted[PLOT_POINTS];      /* each second */
	double p50[PLOT_POINTS], p95[PLOT_POINTS];      /* ms; NAN where nothing completed. The highest of a step. */
};

/* From when anything happened in stats on: ten minutes at least, seven days at most. */
void series_read(struct series *s, const struct rec *stats, int64_t now_us);

#endif
