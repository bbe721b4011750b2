/* blob_int.h - the two places that blobs lie in, as blob.c sees them: a folder and a
 * store. Contracts as in blob.h, names already checked. Internal to lib/blob*. */
#ifndef BLOB_INT_H
#define BLOB_INT_H

#include "blob.h"

enum { BLOB_NAME = SHA256_HEX + 1 };    /* ab/cdef... and a NUL */

/* 0, or -1 with EINVAL: hex is no name. */
int blob_name(const char *hex, char name[BLOB_NAME]);
/* "ab/cdef..." to the name that it is of. 0, or -1: of none. */
int blob_hex(const char *name, char hex[SHA256_HEX]);
/* What blob_why says. Bytes that are not printable ASCII become '?'. */
void blob_because(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

int blob_dir_open(const char *path);    /* a descriptor */
int blob_dir_put(int dir, const void *p, size_t len, const char *hex);
int blob_dir_get(int dir, const char *hex, size_t max, struct buf *out);
bool blob_dir_has(int dir, const char *hex);
int blob_dir_old(int dir, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx);
int blob_dir_drop(int dir, const char *hex, int64_t before);
int blob_dir_drop_temps(int dir, int64_t before);

struct blob_s3 *blob_s3_open(const char *name);
void blob_s3_free(struct blob_s3 *s);
int blob_s3_put(struct blob_s3 *s, const void *p, size_t len, const char *hex);
int blob_s3_get(struct blob_s3 *s, const char *hex, size_t max, struct buf *out);
bool blob_s3_has(struct blob_s3 *s, const char *hex);
/* aside: of those that were set aside. */
int blob_s3_old(struct blob_s3 *s, bool aside, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx);
int blob_s3_drop(struct blob_s3 *s, bool aside, const char *hex, int64_t before);

#endif
