/* charset.h - bytes of any declared or guessed encoding to UTF-8.
 *
 * A byte order mark wins, then the declared label, then UTF-8 when the bytes
 * are valid UTF-8, then windows-1252, as browsers do. Labels are those of the
 * WHATWG encoding standard that have a libc converter; a closed list, so that no
 * exotic converter is reachable from outside. What can't be decoded becomes
 * U+FFFD and is counted. Functions never print; linear time.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct charset {
	const char *name;       /* static: "utf-8", "windows-1252", ... */
	bool guessed;           /* neither declared nor valid UTF-8 */
	size_t replaced;        /* how many U+FFFD were put in */
};

/* True when p is valid UTF-8. */
bool charset_utf8(const char *p, size_t len);

/* The canonical name of a label such as "Latin1" or "UTF-8", or NULL. */
const char *charset_name(const char *label, size_t len);

/* The value of charset= in a Content-Type: a label inside type, or NULL. */
const char *charset_of_type(const char *type, size_t len, size_t *label_len);

/* Appends p as UTF-8 without its byte order mark. declared: a canonical name
 * or NULL. */
void charset_decode(struct buf *out, const char *p, size_t len, const char *declared,
    struct charset *c);

/* Appends one code point, a Unicode scalar value. */
void charset_put(struct buf *out, uint32_t u);

#endif
