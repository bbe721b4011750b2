/* b64.h - base64 (RFC 4648, padded) and sha256 in hex. */
#ifndef B64_H
#define B64_H

#include <stddef.h>

#include "mem.h"

void b64_encode(struct buf *out, const void *p, size_t len);
/* The same between quotes: a JSON string. */
void b64_quote(struct buf *out, const void *p, size_t len);
/* Strict: no white space, right padding. Appends. 0, or -1. */
int b64_decode(struct buf *out, const char *p, size_t len);

enum { SHA256_HEX = 65 };
/* hex: 64 lower-case digits and a NUL. */
void sha256_hex(const void *p, size_t len, char hex[SHA256_HEX]);
void sha256_raw(const void *p, size_t len, unsigned char digest[32]);

#endif
