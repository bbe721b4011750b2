/* entry.h - a line of the intake as the ledger takes it: the request's own
 * bytes, the columns drawn from them, where the record came from, and why it
 * can't be a job if it can't. A struct entry owns copies of all of it and is
 * filled again and again: entry_read, then, when it is known what was said of
 * its topic, entry_columns. No printing, no exits (but mem.h). */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

enum { PRIO_HIGH = 0, PRIO_MEDIUM = 1, PRIO_LOW = 2 };

/* What an operator said of a topic; NULL: nothing. And of those that name none. */
struct entry_said {
	const char *kind, *tenant, *pipeline;
	const char *default_tenant;
	const char *pipelines;          /* the folder that a chosen pipeline must lie in */
};

struct entry {
	struct buf line;        /* the line as it came in */
	struct rec rec;         /* it, parsed; borrowed from line */
	bool reject;            /* a dead letter: stage, code, message, error say why */

	/* Strings, NUL-terminated with len; empty where there is none. */
	struct buf tenant, job_id, doc_key, pipeline, trace, callback;
	bool tenant_named;      /* the request says its tenant itself */
	int prio;               /* PRIO_* */
	bool again;
	struct buf text;        /* the request: the line without transport members */
	struct buf original;    /* the source's bytes where they differ; always for a reject */
	bool has_original;
	unsigned char digest[32];       /* canonical request */
	unsigned char doc[32];          /* the same without job_id, priority, callback_topic */

	bool has_source;
	int32_t src;            /* for the caller: the place's number */
	struct buf cluster, topic, key, headers;        /* headers: JSON, or empty */
	bool has_key;
	uint64_t part, off, prev, low, ts;              /* ts 0: none */
	bool has_low;
	bool first;             /* for the caller: the first of its place */
	bool asks;              /* for the caller: the ledger is to be asked about it */
	int row;                /* its place in the order of entry_order */
	struct buf blob;        /* sha256 of bytes that are elsewhere, or empty */
	uint64_t length;        /* of them */
	unsigned char rec_digest[32];   /* of the source's bytes and key */

	bool mends, force;      /* a dead letter fed again by hand: its number is dead */
	uint64_t dead;

	struct buf stage, code, message, error;
};

/* Reads line: source, request, faults found before. What is wrong with it makes
 * it a reject, never a failure. */
void entry_read(struct entry *q, const char *line, size_t len);

/* The columns. May make it a reject too. */
void entry_columns(struct entry *q, const struct entry_said *said);

/* Makes it a reject, for a reason of the caller's own. */
void entry_reject(struct entry *q, const char *stage, const char *code, const char *message);

/* n of them in the order in which the ledger is given them: what it can keep in one row is side by
 * side, else as they came. Fills order and each one's row. (entry-order.c) */
void entry_order(struct entry *q, size_t n, struct entry **order);

/* It was settled: small buffers stay for the next one, big ones are given back. */
void entry_done(struct entry *q);

/* The member's string into b, NUL-terminated; b is empty and -1 when there is none. */
int entry_string(const struct rec *r, const char *name, struct buf *b);

/* The member "kafka" into q; 0, or -1 when it names no place. (entry-source.c) */
int entry_source(struct entry *q, const struct rec_member *m);
/* A request that bears the name of the job whose document it is about is an event's: its own
 * name instead of that. (entry-source.c) */
void entry_event(struct entry *q);
/* The value of the first header of this name, if it is text. 0 or -1. */
int entry_header(const struct entry *q, const char *name, struct buf *value);
/* q->rec_digest: of the bytes that the source has, whatever form they came in. */
void entry_digest(struct entry *q);

#endif
