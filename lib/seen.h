/* seen.h - a small set of hashes, for telling whether a batch has something
 * twice. It may say so wrongly, never the other way. */
#ifndef SEEN_H
#define SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"

enum { SEEN_SLOTS = 4096, SEEN_MOST = SEEN_SLOTS / 2 };
#define SEEN_START UINT64_C(14695981039346656037)

struct seen {
	uint64_t slot[SEEN_SLOTS];
	unsigned n;
};

void seen_clear(struct seen *s);
/* h, mixed with the bytes of b and where they end. */
uint64_t seen_hash(uint64_t h, const struct buf *b);
/* False when h was there already, or SEEN_MOST are. */
bool seen_add(struct seen *s, uint64_t h);
bool seen_has(const struct seen *s, uint64_t h);

#endif
