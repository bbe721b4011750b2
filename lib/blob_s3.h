/* blob_s3.h - blobs as objects of a bucket: PREFIX/ab/cdef..., and PREFIX/gone/ab/cdef... for
 * those that were set aside (blob.h). Path style, one connection, each request tried
 * again for some seconds where the store is busy or does not answer. Internal to lib/blob*.
 *
 * Atomic and durable is what the store's own PUT and COPY are; it must show a write to
 * whoever reads after it. A blob that is there already is copied onto itself by the
 * store: that makes it young, and no byte of it travels. Where that makes nothing young, it is put
 * there again.
 */
#ifndef BLOB_S3_H
#define BLOB_S3_H

#include "blob_int.h"
#include "http_store.h"

enum {
	BLOB_S3_ROOT = 512, BLOB_S3_AT = 320, BLOB_S3_KEYS = 4096
};

struct blob_s3 {
	struct http_store *h;
	struct http_result r;
	char root[BLOB_S3_ROOT];        /* "http://host:9000" */
	char at[BLOB_S3_AT];            /* "/bucket" or "/bucket/prefix" */
	size_t bucket;                  /* bytes of at that are "/bucket" */
	struct buf url, from;
	unsigned long stall_s;          /* as http_store_opts */
	int64_t again_ms;               /* a request is not begun again later than this */
};

/* Fills root, at and o from the settings; keys holds what o borrows. 0, or -1 with
 * EINVAL and blob_because. */
int blob_s3_settings(struct blob_s3 *s, const char *name, struct http_store_opts *o, struct buf *keys);

/* Asks, with s->url, and asks again where that helps. 0, or -1 with errno and blob_because:
 * ENOENT no such object, ENOTDIR no such bucket, EACCES, EFBIG, EOPNOTSUPP the store does not take such a
 * request, ETIMEDOUT, EIO. */
int blob_s3_ask(struct blob_s3 *s, struct http_store_call *c);

/* The object of a name as s->url. */
void blob_s3_url(struct blob_s3 *s, bool aside, const char *hex);
/* Has the store copy it, from where it is or was set aside to the one or other. *young, unless
 * NULL: the copy is as young as the call, which some stores spare themselves on the same name. */
int blob_s3_copy(struct blob_s3 *s, bool from_aside, bool to_aside, const char *hex, bool *young);

/* The second of the store's clock, as an answer tells it, that is ours. */
int64_t blob_s3_theirs(int64_t ours, const struct http_store_call *c);

#endif
