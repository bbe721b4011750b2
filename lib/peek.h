/* peek.h - a feeder's source that only looks: the queued jobs of a pipeline, by
 * priority and number, as they would be fed. Changes nothing. One at a time. */
#ifndef PEEK_H
#define PEEK_H

#include "feed.h"
#include "pg.h"

/* Both must outlive the run. */
struct feed_source peek_source(struct pg *db, const char *pipeline);

#endif
