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

/* Appends the request that an event on mapping.events.v1 asks for: pipeline map,
 * "document_of" the event's job, "document_run" where it is not the first. Its job_id stays, for
 * a feeder knows its record by it; admit gives the job its name by normal_event_id. False, and nothing appended,
 * when r is no such event. */
bool normal_event(struct buf *out, const struct rec *r);

/* The name of the job that maps the document of job id: "map:" before it, the number of
 * a later run behind it; one too long for that ends in 16 digits of its sha256. */
void normal_event_id(struct buf *id, uint64_t run);

/* Appends what "kafka" must be so that the source's bytes stay known: kafka (NULL:
 * none) with "raw", base64 of original, unless it has that already. False when
 * it has, or is no object. */
bool normal_kafka(struct buf *out, const struct rec_member *kafka, const struct buf *original);

#endif
