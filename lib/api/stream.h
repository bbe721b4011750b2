/* stream.h - one who listens: what stream_open.c makes and streams.c keeps. */
#ifndef STREAM_H
#define STREAM_H

#include "api/api.h"
#include "api/streams.h"

struct stream {
	struct web_stream *w;           /* NULL: not answered yet, or its reader has gone */
	struct call *c;                 /* until it is answered */
	struct stream *next, **at;      /* in a bucket, or among those for all */
	int64_t no;                     /* the job; 0: all jobs */
	int n, k;                       /* what was sent last of the job */
	int64_t last;                   /* the same of all jobs */
	int64_t lost;                   /* the oldest event that is kept, where the client knows older ones; 0 */
	bool loading, again;            /* reads what was before; something came meanwhile */
	bool gone;
	char *tenant, *pipeline, *status, *job_id, *name;       /* filters; NULL: any */
};

/* It is told of events from now on. */
void stream_link_in(struct stream *s);
/* Reads what was before, a part at a time; what comes meanwhile is read after it. */
void stream_load(struct stream *s);
/* Its call gets its answer, the stream. */
void stream_answer(struct stream *s);

#endif
