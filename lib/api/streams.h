/* streams.h - what hub.c (the order of events) and streams.c (who listens) share. */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdbool.h>
#include <stdint.h>

struct event {
	int64_t id, no;         /* id 0: not from the order of all events */
	int n, k;
	const char *tenant, *pipeline, *job_id, *status, *name, *data;
	bool final;
};

/* Gives an event to all who listen for it. */
void streams_tell(const struct event *e);
bool streams_any(void);
/* Each second: a sign of life to those whose turn it is. */
void streams_alive(void);
void streams_end(void);

/* The id of the newest event that was told; -1: not known yet. */
int64_t hub_last(void);
/* Somebody listens: look now. */
void hub_hurry(void);
/* event_next's columns, and a row of them. */
#define EVENT_COLUMNS "id, no, n::bigint, k::bigint, tenant, pipeline, job_id, status, event, data, final"
struct pg;
void event_row(struct event *e, const struct pg *db, int row);

#endif
