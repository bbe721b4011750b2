/* death.h - what an in-band error says of a stage that died on a record. */
#ifndef DEATH_H
#define DEATH_H

#include <stdbool.h>
#include <stddef.h>

#include "feed.h"
#include "mem.h"

/* Sets out to {"stage","code","message","retry","exit" or "signal","stderr"}. The code
 * is crashed, timeout, memory, too_large or cancelled; memory: it is
 * known to have died for want of it. err: what it said on that record, of which
 * the last 4 KiB are kept; may be NULL.
 * retry: after a timeout, exit 111 (the stage itself says so), and a KILL or TERM that
 * we did not send and so came from outside. And when cancelled: the ledger refuses that
 * job's result, but a namesake of another tenant must run again. */
void death_error(struct buf *out, const char *stage, const struct feed_death *why, bool memory,
    const char *err, size_t err_len);

#endif
