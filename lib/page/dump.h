/* dump.h - bytes that somebody sent, as text or in hex. Internal to lib/page. */
#ifndef PAGE_DUMP_H
#define PAGE_DUMP_H

#include <stdbool.h>

#include "fill.h"

enum {
	DUMP_TEXT = 64 << 10,   /* most bytes shown as text */
	DUMP_HEX = 4 << 10      /* and in hex */
};

/* r has its bytes as text (a string) or in b64 (base64); what: their name, trusted.
 * Nothing if it has neither. */
void dump_member(struct buf *out, const struct rec *r, const char *text, const char *b64, const char *what);
void dump_hex(struct buf *out, const unsigned char *p, size_t len);
/* True when p is UTF-8 that people can read: no control bytes but white space. */
bool dump_is_text(const char *p, size_t len);

#endif
