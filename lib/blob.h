/* blob.h - bytes named by their sha256: what is too big for a record. They lie in a
 * folder, or in a store that speaks S3 (blob_s3.h), with one contract: a name that is
 * there is whole, and writing the same bytes again changes nothing but their age.
 * Names are checked to be 64 lower-case hex digits, so no path can be smuggled in.
 * Functions return a status and never print. Not thread-safe.
 */
#ifndef BLOB_H
#define BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "b64.h"
#include "mem.h"

struct blob_s3;

struct blob {
	int dir;                /* the folder; -1 when not open */
	struct blob_s3 *s3;     /* or the store; owned */
};
#define BLOB_INIT { -1, NULL }

/* Opens a folder, making it (not its parents) where it is missing, or the store
 * "s3://BUCKET[/PREFIX]" with the settings SLUICE_S3_*, which is not asked anything yet.
 * 0, or -1 with errno: EINVAL is a setting that is wrong, for good. */
int blob_open(struct blob *b, const char *name);
void blob_close(struct blob *b);
bool blob_is_open(const struct blob *b);
/* What the call that failed last has to say: of a store the server's own words, else
 * strerror(errno). Borrowed until the next call of any of these functions. */
const char *blob_why(void);

/* Stores the bytes; hex gets their name. 0, or -1 with errno. */
int blob_put(struct blob *b, const void *p, size_t len, char hex[SHA256_HEX]);
/* Appends a blob's bytes. 0, or -1 with errno: EINVAL no name, ENOENT not
 * there, EFBIG over max, EBADMSG its bytes are not the ones it was named by. */
int blob_get(struct blob *b, const char *hex, size_t max, struct buf *out);
/* False also where nobody could say. */
bool blob_has(struct blob *b, const char *hex);

/* A file without a name to collect bytes in: beside the blobs of a folder, where there
 * is room for them, else in TMPDIR. A descriptor, or -1 with errno. */
int blob_file(struct blob *b);

/* For who collects blobs that nothing names.
 *
 * In a folder a writer holds a shared lock from the look whether a blob is there until it
 * is there and young; a collector an exclusive one from the look whether it is old until
 * it is gone. A store has no lock: a writer may find a blob there, and make it young, between
 * the collector's look and its stroke. So there a blob that is dropped is set aside first,
 * where blob_get and blob_has still find it and put it back; only what has lain
 * aside since before any attempt that runs now is forgotten. Either way: what was written
 * a moment ago, and is named a moment later, stays.
 *
 * blob_old, blob_aside: call each with the name of every blob that was written, or set
 * aside, last before the second before. blob_drop: BLOB_DROPPED, removed or set aside, or
 * BLOB_YOUNG (again), or BLOB_NONE there. blob_forget: the same of one set aside; it is gone then.
 * blob_drop_temps: how many files were removed that a writer left when it died.
 * -1 with errno. */
enum { BLOB_NONE, BLOB_DROPPED, BLOB_YOUNG };
int blob_old(struct blob *b, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx);
int blob_aside(struct blob *b, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx);
int blob_drop(struct blob *b, const char *hex, int64_t before);
int blob_forget(struct blob *b, const char *hex, int64_t before);
int blob_drop_temps(struct blob *b, int64_t before);

#endif
