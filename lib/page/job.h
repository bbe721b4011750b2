/* job.h - the parts of the page of one job. Internal to lib/page. */
#ifndef PAGE_JOB_H
#define PAGE_JOB_H

#include "frame.h"
#include "page.h"

/* history: GET /v1/jobs/{id}/history, read. */
void job_timeline(const struct page *p, const struct rec *history);
/* Attempts as bars of their stages, the log of each beneath. */
void job_attempts(const struct page *p, const struct rec *history, const struct page_log *logs, size_t n);
/* The names of stages that history tells of, blanks between them (logline.h). */
void job_stages_known(struct buf *names, const struct rec *history);
/* A link for each stage with its lines in the logs; p->stage is the one that was chosen. */
void job_log_stages(const struct page *p, const struct rec *job, const struct page_log *logs, size_t n, const char *known);
/* The chosen stage's lines of a log, or all; at: a number of its own on the page. */
void job_log(const struct page *p, const struct page_log *log, size_t at, bool last, const char *known);
/* <dl> of an error {stage, code, message, retry}. */
void job_error(struct buf *out, const struct rec *error);

#endif
