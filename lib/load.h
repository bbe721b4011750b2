/* load.h - a batch of entries, and what it has in common with others that are on their way: whether it may overtake
 * them. Never prints, never exits (but see mem.h). */
#ifndef LOAD_H
#define LOAD_H

#include "admission.h"
#include "seen.h"

struct load {
	struct entry q[ADMISSION_MOST];
	size_t n, bytes;
	bool out;               /* on its way */
	bool apart;             /* it has a key of one that is, or mends */
	bool sources;           /* records with a place */
	uint64_t pipeline;      /* the hash of theirs; 0: they have several, or none */
	/* Hashes of places, job ids and documents: none may be there twice. */
	struct seen seen;
};

struct loads {
	struct load *l;
	size_t n;
};

/* Before an entry with columns is added to l: false if l has a key of it, so that it has to go into the next one. */
bool load_keys(struct loads *all, struct load *l, const struct entry *q);
/* Counts the entry at l->q[l->n]. */
void load_add(struct load *l);
/* Whether all others have to be settled before l is sent. */
bool load_waits(const struct loads *all, const struct load *l);
/* The one whose entries these are. */
struct load *load_of(struct loads *all, const struct entry *q);
/* One that is not out; there is one. */
struct load *load_free(struct loads *all);
void load_clear(struct load *l);

#endif
