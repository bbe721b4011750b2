/* json.h - JSON text: the strict check at the edge (yajl, the one module
 * that knows it), and strings. Functions return a status, never print, never
 * exit (but see mem.h). */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

#include "mem.h"

struct json_fault {
	const char *code;       /* "bad_json", "bad_utf8", "too_deep", "duplicate_key" */
	size_t at;              /* byte offset, as near as it is known */
	char what[160];         /* a sentence, with the key for duplicates */
};

/* What a message from outside must satisfy: valid JSON and UTF-8, no key
 * twice in one object at any depth (compared unescaped), no lone surrogate,
 * depth within REC_DEPTH. 0, or -1 with *f filled. */
int json_check(const char *p, size_t len, struct json_fault *f);

/* Appends s as a JSON string with its quotes. Bytes that are not UTF-8 become
 * U+FFFD, so the output is always valid. Only what must be escaped is. */
void json_quote(struct buf *out, const char *s, size_t len);
void json_quotes(struct buf *out, const char *s);       /* NUL-terminated */

/* raw: the bytes between the quotes of a checked JSON string. Appends what
 * they mean, as UTF-8. */
void json_unescape(struct buf *out, const char *raw, size_t len);

/* Length of the valid UTF-8 sequence at p (1-4), 0 if there is none. */
size_t utf8_len(const char *p, const char *end);

#endif
