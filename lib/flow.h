/* flow.h - the loop of a filter that keeps many requests in flight: takes in
 * records while there is room, lets the stage ask fetch.h for what it needs, and
 * gives the records out in the order in which they came.
 *
 *     static struct flow fl = { .s = &s, .begin = begin, .own = sizeof(struct mine) };
 *     flow_open(&fl, &opts);
 *     return flow_run(&fl);
 *
 * begin looks at it->rec and either answers the item (flow_pass, flow_edit,
 * flow_error, flow_fault) or starts requests whose done answers it, at once or
 * after more requests. Each item is answered exactly once. Lines with error,
 * wait or chunk pass by themselves. A slow item holds back those behind it, so
 * there is room for many.
 */
#ifndef FLOW_H
#define FLOW_H

#include "fetch.h"
#include "stage.h"

struct flow_item {
	struct rec rec;         /* the record, whole until the item is answered */
	void *own;              /* flow.own bytes: zero at first, then as the item before left them */
	/* flow's own */
	struct buf line, out, why;
	enum { FLOW_OPEN, FLOW_PASSED, FLOW_EDITED, FLOW_FAILED } state;
	char code[64];
	bool retry;
	unsigned long after_ms;
	uint64_t from_us;
};

struct flow {
	struct stage *s;
	struct fetch *f;
	void (*begin)(struct flow *fl, struct flow_item *it);
	size_t own;
	size_t most;            /* records held; 0: 1024 */
	/* flow's own */
	struct flow_item **ring;
	size_t first, n, bytes;
	bool ended;
};

/* The client, with the settings SLUICE_HTTP_ALLOW and SLUICE_RATE. One that is
 * wrong ends the program with 100. */
void flow_open(struct flow *fl, struct fetch_opts *o);
/* Until the input ends and all is answered. Returns the exit code for main. */
int flow_run(struct flow *fl);

/* For begin, where an item has many requests: waits until no more than most are unanswered, of all
 * items. What is answered meanwhile goes out. */
void flow_room(struct flow *fl, size_t most);

void flow_pass(struct flow_item *it);
void flow_edit(struct flow_item *it, const struct rec_change *c, size_t n);
/* After flow_edit the error goes out with what was changed. */
void flow_error(struct flow_item *it, const char *code, bool retry, unsigned long after_ms,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A request's failure becomes the record's: "what: message". */
void flow_fault(struct flow_item *it, const struct http_result *r, const char *what);
/* The record's attempt is this one or a later one; 0: never. */
bool flow_late(const struct flow_item *it, unsigned long attempt);

#endif
