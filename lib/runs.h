/* runs.h - numbers of jobs as runs, each from one to another, as the ledger's claim_runs and settle_runs want them.
 * No state. */
#ifndef RUNS_H
#define RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"

enum { RUNS_LEAST = 16 };       /* jobs of a row of job_many or ev_many */

/* Whether numbers lie in runs of which no piece within a block of 1,024 has fewer. */
bool runs_fit(const int64_t *no, size_t n);

/* Appends the first and the last number of each run to two arrays. */
void runs_put(struct pg_args *a, int lo, int hi, const int64_t *no, size_t n);

#endif
