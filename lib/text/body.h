/* body.h - the text of a job's line: its "content" if a stage extracted one,
 * the blob that "content_blob" names, else the request's "text".
 */
#ifndef BODY_H
#define BODY_H

#include <stdbool.h>

#include "blob.h"
#include "mem.h"
#include "rec.h"

enum body_status {
	BODY_OK,
	BODY_NONE,      /* the line has no text */
	BODY_BAD,       /* that is no blob reference, or the blob is not what it says */
	BODY_LATER      /* the blob could not be read now: errno */
};

/* The line has one of them. */
bool body_there(const struct rec *r);

/* Appends the text to out. blobs: opened when it is first needed, from
 * $SLUICE_BLOBS. max: bytes of a blob. */
enum body_status body_text(const struct rec *r, struct blob *blobs, size_t max, struct buf *out);

/* Appends the bytes of the blob that a member {"sha256":...} names. Never BODY_NONE. */
enum body_status body_blob(const struct rec_member *m, struct blob *blobs, size_t max, struct buf *out);

/* Stores the bytes and appends the reference {"sha256":...,"length":...}. 0, or -1
 * with errno. */
int body_put(struct blob *blobs, const struct buf *bytes, struct buf *ref);

/* Opens $SLUICE_BLOBS unless it is open. 0, or -1 with errno (ENOENT also
 * when it is not set) and blob_why. */
int body_blobs(struct blob *blobs);

/* For a program's start: exits 100 where SLUICE_BLOBS names a store and its settings
 * are wrong. A folder is left for when it is needed. */
void body_settings(void);

#endif
