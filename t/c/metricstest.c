/* metricstest - writes metrics as a program would; run by t/0721-metrics.t.
 *     metricstest count     counters, gauges and histograms, then waits for its stdin to end
 *     metricstest cost N    N counts and observations, prints nanoseconds of each */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "metrics.h"

static void
count(void)
{
	char c;

	*metrics_value("fed_total") += 3;
	*metrics_value("in_flight") = 7;
	*metrics_value("consumer_lag{topic=\"t\",partition=\"0\"}") = 5;
	*metrics_value("consumer_lag{topic=\"t\",partition=\"1\"}") = 6;
	*metrics_value("consumer_lag{topic=\"\377\",partition=\"2\"}") = 8;
	metrics_observe(metrics_hist("stage_seconds", "chunk"), 1000);
	metrics_observe(metrics_hist("stage_seconds", "chunk"), 1001);
	metrics_observe(metrics_hist("stage_seconds", "odd\"}\n"), 7200000000);
	metrics_observe(metrics_hist("answer_seconds", ""), 70000);
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
	volatile uint64_t *v;
	struct metrics_hist *h;
	int64_t began;

	err_init("metricstest");
	if (argc < 2 || strcmp(argv[1], "cost") != 0) {
		count();
		return 0;
	}
	v = metrics_value("fed_total");
	h = metrics_hist("stage_seconds", "chunk");
	began = now_ns();
	for (long i = 0; i < n; i++) {
		++*v;
		metrics_observe(h, (uint64_t)i & 0xfffff);
	}
	printf("%.2f ns\n", (double)(now_ns() - began) / (double)n);
	return 0;
}
