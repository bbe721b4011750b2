/* job.h - the parts of the page of one job. Internal to lib/page. */
#ifndef PAGE_JOB_H
#define PAGE_JOB_H

#include "frame.h"
#include "page.h"

/* history: GET /v1/jobs/{id}/history, read. */
void job_timeline(const struct page *p, const struct rec *history);
/* Attempts as bars of their stages, the log of each beneath. */
void job_attempts(const struct page *p, const struct rec *history, const struct page_log *logs, size_t n);
/* <dl> of an error {stage, code, message, retry}. */
void job_error(struct buf *out, const struct rec *error);

#endif
