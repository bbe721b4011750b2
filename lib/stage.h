/* stage.h - the record loop that every stage shares: main's other half, and
 * so the one module of lib/ that prints and exits.
 *
 *     static struct stage s = STAGE_INIT;
 *     while (stage_next(&s))
 *             ... look at s.rec, then exactly one of stage_pass, stage_edit,
 *                 stage_emit, stage_error, or any number of stage_emit ...
 *     return stage_end(&s);
 *
 * stage_next passes on by itself, untouched, every line that has "error" or
 * "wait" (unless s.settles), and turns a line that is no record into
 * {"error":{...},"raw":"<base64>"}. Output is flushed before a read that may
 * block. stage_end logs "info: done: seen= passed= failed= bad=".
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ndjson.h"
#include "rec.h"

struct stage {
	struct in in;
	struct out out;
	struct rec rec;         /* the current record, borrowed from the input */
	bool settles;           /* also hand over lines with error or wait */
	bool torn;              /* the input ended inside a line */
	uint64_t seen, passed, failed, bad;
	struct buf work;
	struct {                /* what the feeder is told, see hints.h */
		bool wanted, running;
		bool by_hand;   /* the stage works in batches and calls stage_took itself */
		uint64_t from_us, said_us;
	} hint;
};
#define STAGE_INIT { IN_INIT(0, RECORD_MAX, NULL), OUT_INIT(1), REC_INIT, .work = BUF_INIT }

/* 1: s->rec is the next record; 0: the input has ended. */
int stage_next(struct stage *s);
/* The same without waiting: -1, there is no record yet. An input that ends inside a line is told
 * by stage_end: what is held can be answered first. */
int stage_try(struct stage *s);
/* True when a whole line is there, or the end. What batching stages ask before they wait
 * for more. */
bool stage_ready(struct stage *s);

void stage_pass(struct stage *s);                       /* the line as it is */
void stage_edit(struct stage *s, const struct rec_change *c, size_t n);
/* Any line of the stage's own making; one over the limit goes out as the
 * current record with error too_large. */
void stage_emit(struct stage *s, const char *line, size_t len);
/* The current record with "error":{"stage","code","message","retry"}. */
void stage_error(struct stage *s, const char *code, bool retry, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a record that a batching stage kept (r parsed from its copy);
 * after_ms 0: none. */
void stage_error_rec(struct stage *s, const struct rec *r, const char *code, bool retry,
    unsigned long after_ms, const char *message);
/* The same with an error (JSON) that says more than those. */
void stage_error_put(struct stage *s, const struct rec *r, const struct buf *error);
/* Flush now (a batching stage that answers early). */
void stage_flush(struct stage *s);
/* Flushes, logs the totals; returns the exit code for main. */
int stage_end(struct stage *s);

/* Hints: how long a record took, and how far it is. stage_next measures from one record
 * to the next, unless hint.by_hand. They are about the current record, cost
 * nothing when nobody listens, and may be lost. */
uint64_t stage_clock(const struct stage *s);    /* microseconds; 0 when nobody listens */
void stage_took(struct stage *s, uint64_t us);
/* True at most once a second, and only when somebody listens. */
bool stage_progress_due(struct stage *s);
void stage_progress(struct stage *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* stage_next's own. */
void stage_hint_begin(struct stage *s);
void stage_hint_end(struct stage *s);

/* Appends {"stage":..,"code":..,"message":..,"retry":..[,"after_ms":..]}. */
void stage_error_json(struct buf *out, const char *code, bool retry,
    unsigned long after_ms, const char *message);
/* Appends what goes out for a line that is no record: it cannot carry a member,
 * so its bytes (64 KiB of them) travel as base64 in an object of ours. */
void stage_bad_json(struct buf *out, const char *line, size_t len, const char *code, const char *message);

#endif
