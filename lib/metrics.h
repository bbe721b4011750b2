/* metrics.h - numbers that other programs can read while we run.
 *
 * With SLUICE_METRICS (a folder) set, a program's numbers live in a file of
 * it, mapped shared; counting is one addition in memory, no call and no lock.
 * The file is named after SLUICE_SERVICE, or else the program; a second
 * program of one service (guard in a pipeline) gets SERVICE.PROGRAM, a third
 * SERVICE.PROGRAM.1. A file has one writer: it holds a lock on it as long as
 * it lives, which is how a reader knows that it does. Counters and histograms
 * go on from where the file stands after a restart; gauges are set anew.
 * Without SLUICE_METRICS all of it is plain memory. bin/metrics shows a folder
 * as Prometheus text. Not thread-safe: one thread counts, or each has numbers
 * of its own. Never fails: what cannot be shared is counted privately.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

enum { METRICS_MAX = 128, METRICS_NAME = 312, METRICS_HISTS = 48, METRICS_BUCKETS = 18 };

struct metrics_hist {
	char name[56];
	char stage[64];
	uint64_t bucket[METRICS_BUCKETS + 1];   /* not cumulative; the last one: longer than all bounds */
	uint64_t sum_us;
};

/* The file's layout, in the machine's byte order. */
struct metrics_file {
	char magic[8];          /* METRICS_MAGIC */
	char service[64];
	char program[56];
	uint64_t instance;      /* 0; the second program's 1, the third's 2 */
	struct metric {
		char name[METRICS_NAME];
		uint64_t value;
	} m[METRICS_MAX];
	struct metrics_hist h[METRICS_HISTS];
};
#define METRICS_MAGIC "sluicem2"

/* Upper bounds of the buckets in microseconds. */
extern const uint64_t metrics_bound_us[METRICS_BUCKETS];

/* The value called name for as long as the process lives. name is [a-z_]+ and
 * may go on with labels of its own: lag{topic="t",partition="0"}; shorter
 * than METRICS_NAME. "_total" at the end of [a-z_]+ makes a counter. A gauge
 * begins at 0. */
uint64_t *metrics_value(const char *name);

/* The histogram of times called name ("..._seconds") of one stage; "": of no stage. What is no
 * letter, digit or -_. in stage becomes '_'. When there is no room for more
 * stages: one that nobody sees. */
struct metrics_hist *metrics_hist(const char *name, const char *stage);
void metrics_observe(struct metrics_hist *h, uint64_t us);

#endif
