/* request.h - what a request may look like: every member's type, range and
 * length (stream(7), CONTRACTS 1.1, 1.2 and 5.1). Functions return a status,
 * never print, never exit (but see mem.h). */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"
#include "rec.h"

enum request_kind {
	REQUEST_DOCUMENT,       /* text, path or url, or a doi */
	REQUEST_COMPUTE         /* model_id, inputs, ... */
};

#define REQUEST_JOB_TYPES "render3d,ai,video,computer_vision,nlp"

struct request_limits {
	const char *pipelines;  /* a folder that must hold an executable file of a document's pipeline, or NULL */
	const char *job_types;  /* allowed, by ','; NULL: REQUEST_JOB_TYPES */
};

/* By the topic that it came on, where that is jobs.* or ingest.*, else by its members. */
enum request_kind request_kind(const struct rec *r);

/* "document", "compute" */
const char *request_kind_name(enum request_kind kind);

/* Appends all faults to why, "member: reason" joined by "; ", and to at (NULL: not wanted)
 * the first one's member as a JSON pointer. Returns their number. */
unsigned request_faults(const struct rec *r, enum request_kind kind, const struct request_limits *l,
    struct buf *why, struct buf *at);

/* A name that a request may not have at its top. */
bool request_reserved(const struct rec_member *m);

/* It has a "kafka" that names a place (or is broken), not only original bytes. */
bool request_has_source(const struct rec *r);

/* 1–128 of A-Za-z0-9._:- */
bool request_job_id_ok(const char *s, size_t len);
/* 1–64 of A-Za-z0-9._- */
bool request_tenant_ok(const char *s, size_t len);

#endif
