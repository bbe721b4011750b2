/* scan.h - the scanner under rec.c: walks JSON text and checks all of it.
 * Internal to lib; programs use rec.h. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>

#include "rec.h"

struct scan {
	const char *p, *end;
	enum rec_status st;     /* REC_OK until a function returned false; then p is the fault */
};

/* The first byte from p on that is not plain text inside a string: a quote, a backslash, a
 * control byte or one of a multi-byte sequence; end if there is none. */
const char *scan_plain(const char *p, const char *end);
void scan_space(struct scan *s);
/* At an opening quote: past the closing one. escaped (may be NULL) says
 * whether a backslash was seen. */
bool scan_string(struct scan *s, bool *escaped);
/* At the first byte of any value, inside depth open brackets: past it. */
bool scan_value(struct scan *s, int depth);
bool scan_fail(struct scan *s, enum rec_status st);

#endif
