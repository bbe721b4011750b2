/* feed.h - the feeder engine: ARCHITECTURE's one law.
 *
 * A feeder takes records from a source, writes them to a filter (a child
 * process group with a pipe on each side) and tells the source about each
 * line that comes back. Nothing is acknowledged because it was read. The
 * engine adds the member "feed" to each line and strips it from the answer;
 * the source never sees it. A record is settled once: by answer, by guilty,
 * or not at all (then the source's own recovery feeds it again).
 *
 * A filter that ends with answers missing is started again after a backoff;
 * what was in flight is fed alone, a probe record first. A record is guilty when
 * the filter ends on it twice while it is alone, or once if we ended the filter
 * because of it (time, memory), and a probe then passes: a kill from outside
 * costs nobody anything. A failing probe ends feed_run with 111, or 100 if the
 * filter exited 100.
 *
 * SIGTERM, SIGINT, SIGHUP: take no more, close the filter's stdin, settle what
 * still comes within grace_ms, return 0. feed_open must be called before any
 * library starts threads. One thread; callbacks run in it and may not block
 * for longer than a database round trip.
 */
#ifndef FEED_H
#define FEED_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"

struct feed;
struct rec;
struct rec_change;

/* Why a filter ended. */
enum feed_why {
	FEED_ENDED,             /* of itself, or somebody else ended it */
	FEED_TIMEOUT,           /* the deadline; this and the rest: we ended it */
	FEED_CPU,
	FEED_MEMORY,
	FEED_TOO_LARGE,         /* what it made of a record */
	FEED_CANCELLED
};

/* How a filter died on a record that was alone. Borrowed for the call. */
struct feed_death {
	int code;               /* exit status, or -1 */
	int signal;             /* signal number, or 0 */
	int timeout;            /* 1: killed by the deadline */
	enum feed_why why;
	const char *err;        /* the last of its stderr */
	size_t err_len;
	size_t rss;             /* bytes, the most that one of its processes had, as far as is known */
	char text[200];         /* "exit 3", "signal 11", "no answer in 60000 ms" */
};

struct feed_source {
	void *ctx;
	/* Called when there is room: offers at most want records with feed_put.
	 * 0: ask again when fd is readable, after tick's wish or after answers;
	 * 1: the source has ended; -1: stop, exit 111 (the source has said why);
	 * -100: the same with exit 100. */
	int (*take)(void *ctx, struct feed *f, size_t want);
	/* A record's line came back, without "feed". Its line is borrowed. 0, or
	 * -1/-100 as above. */
	int (*answer)(void *ctx, uint64_t tag, const char *line, size_t len);
	/* If it is not NULL, called instead: the line as it came back, parsed, with our "feed" in it; NULL where there is no filter.
	 * Not for a nested feeder. */
	int (*answered)(void *ctx, uint64_t tag, const struct rec *r);
	/* The record is guilty (above). It may be put again in another form. */
	int (*guilty)(void *ctx, struct feed *f, uint64_t tag, const struct feed_death *why);
	/* Called each turn and at least every *wait_ms, which it may lower:
	 * commits, batched settles, heartbeats; of several feeds until the last has
	 * ended. 0, or -1/-100. May be NULL. */
	int (*tick)(void *ctx, int *wait_ms);
	/* Last call before feed_run returns, drained or not: settle what was
	 * answered, hand back what was not. May be NULL. */
	void (*finish)(void *ctx);
	/* A descriptor that becomes readable when take or tick has something to do, or -1. */
	int (*fd)(void *ctx);
	/* One that becomes writable when tick has something to do, or -1. May be NULL. */
	int (*fd_out)(void *ctx);
	/* The same, readable, which is 0 or 1; fd is looked at only while there is room. */
	int (*fd_tick)(void *ctx, int which);
};

struct feed_opts {
	size_t window;          /* most records in flight; 0: 500 */
	size_t least;           /* it adapts to the filter's rate, down to so many; 0: 4 */
	unsigned long deadline_ms;      /* per record, from when it is the oldest; 0: 300000 */
	unsigned long grace_ms; /* for draining; 0: 30000 */
	size_t max;             /* longest answer, bytes; 0: RECORD_MAX + 4 KiB */
	int ready_fd;           /* gets a newline and is closed once the first probe passed; 0: none */
	int hints;              /* 1: the filter's stages say how long they took, see feed_timings */
	/* For feeders inside a pipeline. 1: a record put may be several lines, a job's
	 * chunks and then its own, with a "feed" of an outer feeder; the answer is
	 * the job's chunks and its own line, each with that "feed" again, LF between
	 * them. They are held until the job's own line is there. */
	int nested;
	size_t parts_max;       /* most bytes of chunks so held, else FEED_TOO_LARGE; 0: no limit */
	size_t recycle;         /* end the filter in peace after so many records; 0: never */
	struct limit limit;     /* of the filter's processes */
	/* Name for lines of its stderr, which then go on as "NAME: [job=ID: ]text",
	 * at most 4 KiB each; NULL: they go on as they are. */
	const char *label;
};

/* Sets up signals (blocked, signalfd). Before any library starts threads. The
 * process may end without feed_free. */
struct feed *feed_open(const struct feed_opts *o);

/* Offers one record: a JSON object on one line. tag is the source's own
 * name for it, handed back in answer; tags in flight are distinct. The line
 * is copied. Only from within take, tick or guilty. */
void feed_put(struct feed *f, uint64_t tag, const char *line, size_t len);
/* The same of a record with changes to be made to it, none of them of "feed"; not of a nested feeder, nor without a filter. */
void feed_put_edited(struct feed *f, uint64_t tag, const struct rec *r, const struct rec_change *c, size_t n);

/* True when the records held are so many bytes (64 MiB) that take should offer
 * no more for now, whatever it was asked for. */
int feed_full(const struct feed *f);

/* Runs until the source ends, a signal comes or something fails. argv: the
 * filter; NULL: records are printed on stdout and each counts as answered once
 * it is written. Returns an exit code: 0, 100, 111. */
int feed_run(struct feed *f, const struct feed_source *src, char **argv);

/* The same for several filters with the same command in one loop, each with a source of its
 * own. Ends when all have, or at the first end that is not 0. */
int feed_run_many(struct feed **f, const struct feed_source *src, size_t n, char **argv);

/* What is known about a record, for use inside answer and guilty.
 * Its stderr: the lines that name it ("job=ID"), or all while it was alone; the
 * first 16 KiB and the last 48. NULL: nothing. */
const char *feed_log(struct feed *f, uint64_t tag, size_t *len);
/* What stages said about their time, in microseconds: {"chunk":120,"embed":8000}.
 * NULL: nothing. */
const char *feed_timings(struct feed *f, uint64_t tag);

/* How far a record is that is in the filter. Borrowed for the call. */
struct feed_progress {
	uint64_t tag;
	const char *stage;      /* the one that has it */
	int percent;            /* 0 to 99, never less than before */
	const char *text;       /* what the stage says of it, or NULL */
};
/* Calls fn for each record that has been in the filter for old_ms and of which something else is
 * known than at the last call. The stage is the one that said so (hints.h: p), or the one after
 * the last that has finished; of a filter that has answered nothing yet, the one that spoke last.
 * A record of which no stage has spoken is left out for 5 seconds. */
void feed_progress(struct feed *f, int64_t old_ms, void (*fn)(void *ctx, const struct feed_progress *p), void *ctx);
/* The filter's stages in the order in which they finish a record, as far as records have shown it.
 * Their number; 0: nothing new since the last call. names: room for FEED_STAGES_MAX, borrowed. */
enum { FEED_STAGES_MAX = 12 };
size_t feed_stages(struct feed *f, const char *names[FEED_STAGES_MAX]);

/* For those that watch a filter, from within tick. Its process group, whose
 * leader is no part of it; 0: none is running. */
int feed_group(const struct feed *f);
/* How many records are in it, and in which turn of its life: how many it was
 * given since it started, its probe counted once that has passed. */
size_t feed_inside(const struct feed *f, size_t *given);
/* The tag of the only record in it. 0, or -1 when there is none or several. */
int feed_only(const struct feed *f, uint64_t *tag);
/* Ends it because of what is in it: CANCELLED with TERM and, 2 s later, KILL, all
 * others with KILL at once. */
void feed_end_filter(struct feed *f, enum feed_why why);
/* Ends it in peace once what is in it has been answered, and starts another. */
void feed_recycle(struct feed *f);

/* True once a signal asked to stop: take offers nothing more. */
int feed_stopping(const struct feed *f);

void feed_free(struct feed *f);

#endif
