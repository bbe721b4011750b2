/* feed_int.h - what the parts of the feeder engine share. Internal: feeders
 * use feed.h. feed.c has the engine's beginning and end, feed_loop.c the loop,
 * feed_slot.c the records in flight, feed_filter.c the filter's life, feed_write.c
 * what goes in, feed_answer.c what comes back, feed_err.c its stderr, feed_hint.c
 * what stages say about themselves, feed_progress.c what that means. */
#ifndef FEED_INT_H
#define FEED_INT_H

#include <stdbool.h>
#include <time.h>

#include "feed.h"
#include "filter.h"
#include "metrics.h"
#include "ndjson.h"
#include "rec.h"

enum { FEED_ERR_TAIL = 8192, FEED_STAGES = FEED_STAGES_MAX };

enum where { AT_NONE, AT_QUEUE, AT_SUSPECTS, AT_SENT };

struct stage_time {
	char name[32];
	uint64_t us;
	bool again;             /* it came more than once: a line of chunks each */
};

/* A stage of the filter, in the order in which they finish a record. */
struct stage_known {
	char name[32];
	bool again;             /* it speaks of chunks, so its word does not mean that it has finished */
};

struct slot {
	uint64_t tag;
	uint32_t index, gen;    /* gen: +1 at each use, part of the token */
	enum where where;
	bool written;           /* whole: only then can it be answered */
	int64_t sent_at;
	int64_t sent_us;        /* the same, of now_us */
	unsigned deaths;        /* of the filter while it was alone in it */
	struct buf line;        /* with "feed" and LF; nested: all lines of the job */
	struct buf job;         /* job_id, raw JSON value; empty when there is none */
	struct buf outer;       /* nested: the outer token, raw; empty when there is none */
	struct buf parts;       /* nested: chunks that came, with LF */
	struct buf log_head, log_tail;
	size_t log_cut;         /* bytes between them that were dropped */
	struct stage_time time[FEED_STAGES];
	size_t ntimes;
	char progress[128];     /* what a stage said last, "STAGE: TEXT", NUL-terminated */
	struct buf told;        /* what feed_progress said last */
	int percent;            /* of that */
	struct slot *prev, *next;
};

struct list {
	struct slot *head, *tail;
	size_t n;
};

enum mode {
	M_STOPPED,              /* no filter; one is started at start_at */
	M_PROBING,              /* a probe is in it */
	M_FEEDING
};

struct feed {
	struct feed_opts o;
	const struct feed_source *src;
	char **argv;
	bool stopping, source_done, ready_said;
	int verdict;            /* the exit code once decided, else -1 */
	enum mode mode;

	struct slot **slots, **spare;
	size_t nslots, nspare;
	struct list queue, suspects, sent;
	struct slot *partial;   /* in sent; its first partial_off bytes are written */
	size_t partial_off, bytes;      /* bytes: of all lines held */
	struct stage_known known[FEED_STAGES];
	size_t nknown;
	bool known_told;        /* by feed_stages */
	bool printing;          /* there is no filter: lines are as they were put */
	char session[11];       /* how its tokens begin: a quote, eight digits of chance, '-' */
	bool in_take;           /* feed_put is allowed */
	bool in_guilty;         /* and what it puts goes alone */

	struct filter filter;
	size_t given;           /* records, to this filter */
	bool recycling;         /* it gets no more */
	struct in answers, hints;
	struct buf err;         /* the last of stderr */
	struct buf err_line;    /* its line that has not ended */
	struct rec rec;
	struct buf line;        /* an answer without "feed" */
	struct buf text, times; /* what feed_log and feed_timings gave last */
	struct slot *alone;     /* the one suspect in flight */
	struct slot *accused;   /* died alone; a probe decides */
	struct slot *current;   /* of the callback that is running */
	struct feed_death death, accused_death;
	struct buf death_err;

	int64_t nudged_at, start_at, end_by, oldest_since, idle_since, grace_by, rate_at, now;
	struct slot *oldest;    /* whose clock runs */
	unsigned restarts;      /* since the last answer */
	size_t window, answered_now;
	struct {                /* metrics.h */
		uint64_t *fed, *answered, *guilty, *deaths, *stray, *in_flight, *window;
		struct metrics_hist *answer;
		uint64_t in_flight_said, window_said;
	} m;
	uint64_t stray, killed;
};

/* feed.c */
bool feed_may_take(const struct feed *f);
void feed_take(struct feed *f);         /* asks the source when there is room */
void feed_adapt(struct feed *f);        /* the window, to the filter's rate */

/* feed_slot.c */
struct slot *slot_new(struct feed *f, uint64_t tag, const char *line, size_t len);
struct slot *slot_edited(struct feed *f, uint64_t tag, const struct rec *r, const struct rec_change *c, size_t n);
void slot_free(struct feed *f, struct slot *s);
void slot_move(struct feed *f, struct slot *s, enum where to);
/* A slot that is nowhere yet becomes the next suspect: records keep their order. */
void slot_first(struct feed *f, struct slot *s);
/* The slot that a token names, or NULL when it is no longer in flight. */
struct slot *slot_find(struct feed *f, const struct rec_member *token);
void slots_release(struct feed *f);
/* The job's name without quotes; its length, 0 when it has none. */
size_t slot_job(const struct slot *s, const char **p);

/* feed_filter.c */
void filter_begin(struct feed *f);      /* start the filter and send a probe */
void filter_over(struct feed *f);       /* it ended: who was in flight? */
void probe_passed(struct feed *f);

/* feed_write.c */
void feed_write(struct feed *f);        /* write what may be written */
bool feed_wants_write(const struct feed *f);

/* feed_err.c */
void feed_read_err(struct feed *f);     /* what there is of it, never waiting */
void feed_end_err(struct feed *f);      /* the filter has ended: its last, unended line */

/* feed_hint.c */
void feed_read_hints(struct feed *f);
void feed_observe(const struct slot *s);        /* a record's times, for metrics */
/* The time of a record that was alone in a copy which does not say it itself. */
void feed_took(struct feed *f, struct slot *s);

/* feed_progress.c */
void feed_learn(struct feed *f, const struct slot *s);  /* stages, from a record that was answered */

/* feed_signal.c */
int feed_signals(void);                 /* the process's signalfd, made at the first call */
void feed_read_signals(struct feed **f, size_t n);      /* TERM, INT, HUP: all of them stop */

/* feed_loop.c */
int feed_loop(struct feed **f, size_t n);
int64_t feed_grace(const struct feed *f);      /* ms for it to end once its stdin is closed */

/* feed_nudge.c */
void feed_nudge(struct feed *f);        /* now and then, while an answer is late or nothing is asked */
bool feed_is_nudge(const struct rec_member *token);

/* feed_print.c */
int feed_print(struct feed *f);

/* feed_answer.c */
void feed_read_answers(struct feed *f);
/* Takes a callback's result: 0, or the end with 111 or 100. */
void feed_check(struct feed *f, int result);

#endif
