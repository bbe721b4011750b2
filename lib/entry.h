/* entry.h - a line of the intake as the ledger takes it: the request's own
 * bytes, the columns drawn from them, where the record came from, and why it
 * can't be a job if it can't. A struct entry owns copies of all of it and is
 * filled again and again (entry_read). No printing, no exits (but mem.h). */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

enum { PRIO_HIGH = 0, PRIO_MEDIUM = 1, PRIO_LOW = 2 };

struct entry {
	struct buf line;        /* the line as it came in */
	struct rec rec;         /* it, parsed; borrowed from line */
	bool reject;            /* a dead letter: stage, code, message, error say why */

	/* Strings, NUL-terminated with len; empty where there is none. */
	struct buf tenant, job_id, doc_key, pipeline, trace;
	int prio;               /* PRIO_* */
	bool again;
	struct buf text;        /* the request: the line without transport members */
	struct buf original;    /* the source's bytes where they differ; always for a reject */
	bool has_original;
	unsigned char digest[32];       /* canonical request */
	unsigned char doc[32];          /* the same without job_id and priority */

	bool has_source;
	struct buf cluster, topic, key;
	bool has_key;
	uint64_t part, off, prev;
	unsigned char rec_digest[32];   /* of the source's bytes and key */

	struct buf stage, code, message, error;
};

/* Reads line. What is wrong with it makes it a reject, never a failure. */
void entry_read(struct entry *q, const char *line, size_t len, const char *default_tenant);

/* Makes it a reject, for a reason of the caller's own. */
void entry_reject(struct entry *q, const char *stage, const char *code, const char *message);

#endif
