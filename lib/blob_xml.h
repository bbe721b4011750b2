/* blob_xml.h - the XML that object stores answer with, and no more of XML than that:
 * elements in elements, and text. Attributes are passed over; comments, CDATA and
 * declarations of types are refused, and so is what is not closed in its order.
 * Entities stay as they are. Internal to lib/blob*.
 */
#ifndef BLOB_XML_H
#define BLOB_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls end for each element when it ends, with the names down to it, "Error/Code"; text:
 * what is in it (borrowed, not terminated), NULL where elements are. 0, or -1: not such XML. */
int blob_xml(const char *p, size_t len, void (*end)(void *ctx, const char *path, const char *text, size_t text_len),
    void *ctx);

enum { BLOB_KEY = 1025 };       /* of an object, with its NUL */

/* A page of a list of objects, in S3's ListObjectsV2. each: one object's key, and when it was
 * written (seconds since 1970; 0: not said). Keys longer than keys are, or with a NUL, are passed over; of
 * entities the five that XML itself has are read.
 * 0 with *more, or -1: it is no such page. */
int blob_list(const char *p, size_t len, void (*each)(void *ctx, const char *key, int64_t modified), void *ctx,
    bool *more);

/* When an object was written, as the answer to its copying says; 0: it does not. */
int64_t blob_copied(const char *p, size_t len);

/* What an answer that reports a failure says, "NoSuchKey" and a sentence, or "". */
struct blob_said {
	char code[64], message[256];
};
void blob_said(const char *p, size_t len, struct blob_said *said);

#endif
