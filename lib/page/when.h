/* when.h - times and spans as people read them. Internal to lib/page. All times are UTC, in microseconds since 1970. */
#ifndef PAGE_WHEN_H
#define PAGE_WHEN_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"

#define WHEN_NONE INT64_MIN

/* RFC 3339, years 1970 to 9999. WHEN_NONE for all else. */
int64_t when_us(const char *p, size_t len);
/* "2026-11-29T21:15:03.123456Z" */
void when_rfc(struct buf *out, int64_t us);

/* Elements <time>; nothing for WHEN_NONE.
 * when_ago: "4 s ago", "in 2 min"; sluice.js keeps it true. when_at: "21:15:03.123" where that is the same day as
 * now, else "29 Nov 2026 21:15:03". */
void when_ago(struct buf *out, int64_t now, int64_t us);
void when_at(struct buf *out, int64_t now, int64_t us);

/* "0 ms", "340 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"; negative ones are 0. */
void when_span(struct buf *out, int64_t us);
/* The same in one unit: "3 min". */
void when_about(struct buf *out, int64_t us);

#endif
