/* fold.h - many chunk lines, one job: what stages/index.c keeps between a
 * job's chunks and the job's own line.
 *
 * A chunk is kept as one JSON object, its item: the members of "chunk" as they
 * came and "embedding" if the line had one. Jobs may interleave; a job is
 * known by the bytes of its "feed", or of its "job_id" where nothing feeds.
 * Memory is bounded: past max bytes a job keeps no more items and is marked
 * too_large. Functions return a status, never print, never exit (but see
 * mem.h). Not thread-safe.
 */
#ifndef FOLD_H
#define FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

struct fold_item {
	uint64_t i;
	size_t at, len;         /* in struct fold_job.items */
};

struct fold_job {
	char *key;              /* owned */
	struct buf items;       /* the items, one after the other */
	struct fold_item *item; /* owned; in order of i after fold_complete */
	size_t n, cap;
	struct buf error;       /* the error that the job's line shall carry, or empty */
	bool error_final;       /* that error has no "retry":true */
	bool too_large;
	struct fold_job *next;
};

struct fold {
	size_t max;             /* bytes of items, all open jobs together */
	size_t bytes;
	struct fold_job *jobs;  /* owned; few at a time */
};

/* Takes in a line that has "chunk". 0, or -1 when it names no job or its
 * "chunk" is no object with a number "i". */
int fold_chunk(struct fold *f, const struct rec *line);

/* The job that a line belongs to, with what was collected, or NULL. */
struct fold_job *fold_find(struct fold *f, const struct rec *line);
/* An open job for the line, made if there is none. NULL: it names no job. */
struct fold_job *fold_open(struct fold *f, const struct rec *line);
void fold_close(struct fold *f, struct fold_job *j);

/* Takes in the items of a job's own "chunks" (a line that was folded before).
 * 0, or -1 when they are no array of chunk objects. */
int fold_unfold(struct fold *f, struct fold_job *j, const struct rec *chunks);

/* Sorts the items. 0 when they are 0 .. n-1, each once; else -1 with what is
 * wrong in why. */
int fold_complete(struct fold_job *j, uint64_t n, char *why, size_t size);

/* Appends the object chunks with "items" set to the job's items, or without
 * them when j is NULL. */
void fold_chunks(struct buf *out, const struct rec *chunks, const struct fold_job *j);

#endif
