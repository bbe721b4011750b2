/* stream.h - one who listens: what stream_open.c makes and streams.c keeps. */
#ifndef STREAM_H
#define STREAM_H

#include "api/api.h"
#include "api/streams.h"

/* A reader that is so many bytes behind gets no more history for now. */
enum { STREAM_BEHIND = WEB_STREAM / 4 };

struct stream {
	struct web_stream *w;           /* NULL: not answered yet, or its reader has gone */
	struct call *c;                 /* until it is answered */
	struct stream *next, **at;      /* in a bucket, or among those for all */
	int64_t no;                     /* the job; 0: all jobs */
	int n, k;                       /* what was sent last of the job */
	int64_t last;                   /* the same of all jobs */
	int64_t lost;                   /* the oldest event that is kept, where the client knows older ones; 0 */
	unsigned age;                   /* seconds since it was answered */
	bool loading, again;            /* reads what was before; there is more than was read */
	bool gone;
	char *tenant, *pipeline, *status, *job_id, *name;       /* filters; NULL: any */
};

/* It is told of events from now on. */
void stream_link_in(struct stream *s);
/* Reads what was before, a part at a time; what comes meanwhile is read after it. */
void stream_load(struct stream *s);
/* Reads the rest, if there is more, once its reader has taken most of what it has got. */
void stream_go_on(struct stream *s);
/* Sends an event that it has not had, if it wants it. */
void stream_give(struct stream *s, const struct event *e);
void stream_release(struct stream *s);
/* Its call gets its answer, the stream. */
void stream_answer(struct stream *s);

#endif
