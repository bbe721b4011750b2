/* collect.h - blobs that the ledger does not name are removed: keeper(1)'s. Says what it
 * did, and warns of what could not be done. Ends the process where the ledger is lost. */
#ifndef COLLECT_H
#define COLLECT_H

#include <stdbool.h>

#include "blob.h"
#include "pg.h"

struct collect {
	struct pg *db;
	struct blob blobs;
	bool dry;               /* only print names on stdout */
	uint64_t removed;
};

/* Those of a folder or store that are older than retention_blobs. False: it could not be done. */
bool collect_old(struct collect *c);
/* Those of a store that were set aside and that nobody can have come to name since. False: as above. */
bool collect_aside(struct collect *c);

/* Removes those whose names stand on standard input and that were written before the second,
 * prints how many went and how many are there still. An exit code; exits on failure. */
int collect_named(struct blob *blobs, int64_t before);
/* Writes one to standard output. An exit code; exits on failure. */
int collect_show(struct blob *blobs, const char *hex);

#endif
