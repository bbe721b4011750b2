/* cancels.h - which attempts were cancelled while they run.
 *
 * SLUICE_CANCELS names an append-only file of the worker: a line "JOB_ID ATTEMPT\n"
 * for each. The feeder that holds the leases adds, guards look. A file that
 * is not there yet is an empty one. What is in it counts until the worker makes a
 * new one. Functions return a status with errno, never print, never exit. One thread.
 */
#ifndef CANCELS_H
#define CANCELS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mem.h"

struct cancels {
	struct buf path;
	int fd;                 /* -1: not open */
	off_t seen;             /* bytes of it that are in lines */
	struct buf lines;       /* LF before and after each */
};

/* path NULL or empty: no file, nothing is ever cancelled. Nothing is opened yet. */
void cancels_open(struct cancels *c, const char *path);
/* A new one for the guards below us: a file without a name, which they reach as long as we live, and
 * SLUICE_CANCELS for it. 0, or -1. */
int cancels_share(struct cancels *c);
/* Appends a line in one write. 0, or -1. */
int cancels_add(struct cancels *c, const char *job, size_t len, uint64_t attempt);
/* Reads what is new. 1: there was something, 0: nothing, -1. */
int cancels_look(struct cancels *c);
/* Of what cancels_look has seen. */
bool cancels_has(const struct cancels *c, const char *job, size_t len, uint64_t attempt);
void cancels_release(struct cancels *c);

#endif
