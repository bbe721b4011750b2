/* blob.h - a folder of bytes named by their sha256: what is too big for a
 * record. A blob is written to a temporary file, synced, then renamed to
 * ab/cdef..., so a name that exists is whole; writing the same bytes again
 * changes nothing but its age. Names are checked to be 64 lower-case hex digits, so no
 * path can be smuggled in. Functions return a status and never print.
 */
#ifndef BLOB_H
#define BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "b64.h"
#include "mem.h"

struct blob {
	int dir;                /* the folder; -1 when not open */
};
#define BLOB_INIT { -1 }

/* Opens the folder, making it (not its parents) where it is missing.
 * 0, or -1 with errno. */
int blob_open(struct blob *b, const char *path);
void blob_close(struct blob *b);

/* Stores the bytes; hex gets their name. 0, or -1 with errno. */
int blob_put(struct blob *b, const void *p, size_t len, char hex[SHA256_HEX]);
/* Appends a blob's bytes. 0, or -1 with errno: EINVAL no name, ENOENT not
 * there, EFBIG over max, EBADMSG its bytes are not the ones it was named by. */
int blob_get(struct blob *b, const char *hex, size_t max, struct buf *out);
bool blob_has(struct blob *b, const char *hex);

/* For who collects blobs that nothing names. A writer holds a shared lock of the
 * folder from the look whether a blob is there until it is there and young; a
 * collector an exclusive one from the look whether it is old until it is gone. So
 * what was written a moment ago, and is named a moment later, stays.
 *
 * blob_old: calls each with the name of every blob that was written last before
 * the second before. blob_drop: 1 removed, 0 it is not old (any more) or not there.
 * blob_drop_temps: how many files were removed that a writer left when it died.
 * -1 with errno. */
int blob_old(struct blob *b, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx);
int blob_drop(struct blob *b, const char *hex, int64_t before);
int blob_drop_temps(struct blob *b, int64_t before);

#endif
