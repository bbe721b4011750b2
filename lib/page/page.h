/* page.h - the dashboard: pages of HTML out of the API's JSON.
 *
 * Each page_* function but page_said and page_asset appends one whole document to p->out. They do
 * no I/O, keep nothing, and write the same bytes for the same arguments. All
 * that they are given is hostile but the structs themselves: every value is
 * escaped, clipped where it is long, and JSON that is missing, broken or of
 * another shape shows as less on the page, never as a fault.
 *
 * Who serves them does so as text/html; charset=utf-8 with PAGE_CSP. Strings are UTF-8 (what is not becomes
 * U+FFFD) and borrowed for the call.
 *
 * What the pages ask of the server, as a browser does:
 *   GET  / /ui/jobs /ui/jobs/{id} /ui/job (job_id: 303 to its page, or page_find) /ui/dead /ui/dead/{no} /ui/workers /ui/pipelines /ui/search /ui/sign-in
 *   GET  what page_asset knows
 *   POST /session (token, next: where to go then; take it only if it begins with one '/' and has no '\\'), /session/end
 *   POST /ui/jobs/{id}/cancel (reason), /ui/jobs/{id}/open (gate), /ui/jobs/{id}/retry,
 *        /ui/dead/{no}/feed (request: the mended one, empty for as it came)
 *        each of them 303 back to the page of the job or dead letter with ?did=CODE (page_said), or page_problem
 *   The forms are application/x-www-form-urlencoded; where p->tenant is "*" each address of one job has ?tenant=.
 *   GET  /v1/events and /v1/jobs/{id}/events, by sluice.js.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

#define PAGE_CSP "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " \
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/* What the token may do: buttons and links that it may not use are left out. */
enum page_may {
	PAGE_MAY_WRITE = 1,     /* cancel, open, retry */
	PAGE_MAY_FEED = 2,      /* dead letters again */
	PAGE_MAY_SEARCH = 4,
	PAGE_MAY_ALL = 7
};

struct page {
	struct buf *out;
	const char *who;        /* the token's name; NULL: no token (SLUICE_API_OPEN, or not signed in) */
	const char *tenant;     /* "*": all of them; NULL: not signed in, so no navigation */
	unsigned may;           /* enum page_may */
	const char *asked;      /* with tenant "*": the one that was asked for; NULL: all of them */
	const char *usual;      /* with tenant "*": the one that is meant where it must be one and none is named */
	int64_t now_us;         /* since 1970 */
	const char *said;       /* page_said's, or NULL */
	const char *stage;      /* of the page of a job: only its lines of the logs (logline.h); NULL: all */
};

struct page_text {
	const char *p;          /* need not end with a NUL */
	size_t len;
};

/* As they came in the query; NULL: not there. */
struct page_filter {
	const char *status, *pipeline, *tenant, *doc_key, *priority, *since, *until, *sort, *limit, *cursor;
};

/* From api_logs. */
struct page_log {
	unsigned run, attempt;
	const char *at;         /* RFC 3339 */
	const char *p;          /* any bytes */
	size_t len;
};

/* stats: GET /v1/stats. pipelines, workers: one text a row, as in GET /v1/pipelines and /v1/workers. */
void page_overview(const struct page *p, struct page_text stats, const struct page_text *pipelines, size_t pipelines_n,
    const struct page_text *workers, size_t workers_n);

/* next: the cursor of the next page, or NULL. total: {"count","exact"}, or {NULL, 0}. */
void page_jobs(const struct page *p, const struct page_filter *f, const struct page_text *rows, size_t n,
    const char *next, struct page_text total);

/* The form that leads to a job, and why it did not; both may be NULL. */
void page_find(const struct page *p, const char *id, const char *message);

/* history: GET /v1/jobs/{id}/history. */
void page_job(const struct page *p, struct page_text history, const struct page_log *logs, size_t n);

void page_dead(const struct page *p, const char *kind, const char *code, const char *cursor,
    const struct page_text *rows, size_t n, const char *next);
/* letter: GET /v1/dead/{no}. */
void page_dead_one(const struct page *p, struct page_text letter);

void page_workers(const struct page *p, const struct page_text *rows, size_t n);
void page_pipelines(const struct page *p, const struct page_text *rows, size_t n);

/* q: what was asked, NULL or "": nothing yet. hits: {"hits":[...]}, or {NULL, 0} with q NULL. */
void page_search(const struct page *p, const char *q, struct page_text hits);

/* message: why it is asked again, or NULL. next: the path to go to then, or NULL. */
void page_sign_in(const struct page *p, const char *message, const char *next);
/* detail may be NULL. id: the request's, or NULL. back: the path of the page whose form it was sent from, or NULL. */
void page_problem(const struct page *p, unsigned status, const char *title, const char *detail, const char *id, const char *back);

/* What a ?did=CODE says, or NULL for a code that is not ours:
 * cancelled, already, opened, retried, fed, signed-in, signed-out. */
const char *page_said(const char *code);

/* Files served as they are: /ui/style.css, /ui/sluice.js, /ui/icon.svg and, if
 * there is one, /openapi.json. */
struct page_asset {
	const char *path, *type;
	const unsigned char *p;
	size_t len;
	char etag[20];          /* with its quotes */
};
/* NULL: none of ours. What it points to lives as long as the process. */
const struct page_asset *page_asset(const char *path);

#endif
