/* normal.h - older forms of requests as requests of today (normalise(1)): the
 * envelope with "job_request", and documents in "item". What can't be turned is
 * left as it is, for validate to find. Pure functions on text. */
#ifndef NORMAL_H
#define NORMAL_H

#include <stdbool.h>

#include "mem.h"
#include "rec.h"

/* Appends r in the form of today, without "kafka". False, and nothing appended,
 * when it has that form already. */
bool normal_request(struct buf *out, const struct rec *r);

/* Appends the request that an event on mapping.events.v1 asks for: job "map:" and the
 * event's job_id, pipeline map, "document_of" that job. False, and nothing appended,
 * when r is no such event. */
bool normal_event(struct buf *out, const struct rec *r);

/* Appends what "kafka" must be so that the source's bytes stay known: kafka (NULL:
 * none) with "raw", base64 of original, unless it has that already. False when
 * it has, or is no object. */
bool normal_kafka(struct buf *out, const struct rec_member *kafka, const struct buf *original);

#endif
