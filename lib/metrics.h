/* metrics.h - counters that other programs can read while we run.
 *
 * With SLUICE_METRICS (a folder) set, a program's numbers live in a file of
 * it, mapped shared, named after SLUICE_SERVICE or else the program; counting
 * is one addition in memory, no call and no lock. Counters go on from where
 * the file stands after a restart; gauges are set anew. Without it they are
 * plain memory. bin/metrics prints a folder as Prometheus text.
 * One writer per file. Never fails: what cannot be shared is counted privately.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

enum { METRICS_MAX = 63, METRICS_NAME = 56 };

/* The file's layout, in the machine's byte order. */
struct metrics_file {
	char magic[8];          /* METRICS_MAGIC */
	struct metric {
		char name[METRICS_NAME];        /* "_total" at its end makes a counter */
		uint64_t value;
	} m[METRICS_MAX];
};
#define METRICS_MAGIC "sluicem1"

/* The value called name ([a-z_]+, shorter than METRICS_NAME), for as long as
 * the process lives. A gauge begins at 0. */
uint64_t *metrics_value(const char *name);

#endif
