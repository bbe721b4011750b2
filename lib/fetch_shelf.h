/* fetch_shelf.h - the cache's files, in 256 folders of the first two digits of their
 * names. Internal to lib/fetch*. 0, or -1 with errno. */
#ifndef FETCH_SHELF_H
#define FETCH_SHELF_H

#include <stdint.h>

#include "mem.h"

/* Written beside and renamed: whole, or not there. Not synced: it can be fetched again. */
int shelf_put(int dir, const char *name, const struct buf *bytes);
int shelf_get(int dir, const char *name, size_t max, struct buf *out);
/* It need not be there. */
int shelf_drop(int dir, const char *name);
/* Removes the oldest of the folder of name until it has no more than max bytes, and
 * what writers that died left there. */
int shelf_sweep(int dir, const char *name, uint64_t max);

#endif
