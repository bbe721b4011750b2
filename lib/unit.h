/* unit.h - lines gathered to jobs, and answers put in order.
 *
 * A unit is all lines of one job, its chunks and then its own line, or one line
 * that needs no work: one with error or wait, or no record at all. Units leave in the
 * order in which their own lines came, each once it is done. A unit belongs to
 * its struct units and is valid until units_out has taken it. One thread.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rec.h"

struct unit {
	struct buf lines;       /* LF between them; once done: what goes out, each with LF */
	size_t own;             /* where the job's own line begins */
	struct buf key;         /* while gathered: its feed or else job_id, raw */
	struct buf job;         /* job_id, unescaped; empty when there is none */
	uint64_t attempt;       /* 0: none */
	bool too_large, done;
	struct unit *next;
};

struct units {
	size_t max;             /* bytes of one unit's lines; more is dropped, too_large set */
	struct unit *head, *tail;       /* in order */
	struct unit *ready;     /* the first that nobody took */
	struct unit *open;      /* gathered, without their own line yet */
	struct unit *spare;
	size_t n, bytes;        /* in order, not yet out */
	size_t bad;             /* lines that were no records */
	struct rec rec;
};
#define UNITS_INIT(most) { .max = (most), .rec = REC_INIT }

/* Takes one line of input. */
void units_add(struct units *u, const char *line, size_t len);
/* The same for a line over the limit; these are its first bytes. */
void units_add_long(struct units *u, const char *line, size_t len, size_t limit);
/* The next unit to be worked on, or NULL. */
struct unit *units_next(struct units *u);
/* Its answer: lines with LF between them, copied. */
void units_done(struct units *u, struct unit *one, const char *lines, size_t len);
/* The same, but its own line gets the member error (JSON). */
void units_fail(struct units *u, struct unit *one, const char *error, size_t len);
/* Moves what is done and first to out. */
void units_out(struct units *u, struct buf *out);
/* How many jobs are gathered that lack their own line. */
size_t units_open(const struct units *u);

#endif
