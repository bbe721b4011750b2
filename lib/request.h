/* request.h - what a request may look like: every member's type, range and
 * length (stream(7), CONTRACTS 1.1 and 5.1). Functions return a status, never
 * print, never exit (but see mem.h). */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#include "mem.h"
#include "rec.h"

enum request_kind {
	REQUEST_DOCUMENT,       /* text, path or url */
	REQUEST_COMPUTE         /* model_id, inputs, ... */
};

/* By the topic that it came on, where that is jobs.* or ingest.*, else by its members. */
enum request_kind request_kind(const struct rec *r);

/* Appends all faults to why, "member: reason" joined by "; ". pipelines: a
 * folder that must hold an executable file of the pipeline's name for a
 * document, or NULL. Returns the number of faults. */
unsigned request_faults(const struct rec *r, enum request_kind kind, const char *pipelines,
    struct buf *why);

/* "document", "compute" */
const char *request_kind_name(enum request_kind kind);

/* A W3C traceparent. */
int request_trace_ok(const char *s, size_t len);

/* 1–128 of A-Za-z0-9._:- */
int request_job_id_ok(const char *s, size_t len);

#endif
