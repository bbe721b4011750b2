/* asked.h - lines that somebody waits for an answer to, answered in their order. Short: who
 * asked has the request. A struct asked is valid until asked_out has taken it. One
 * thread; never prints, never exits (but see mem.h). */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>
#include <stddef.h>

#include "rec.h"

struct asked {
	struct asked *next;
	struct buf answer, who; /* who: members of it that the answer bears, JSON */
	bool probe, done;
};

struct askeds {
	struct asked *head, *tail, *spare;
	size_t n;               /* not yet out */
};

/* The next line. */
struct asked *asked_new(struct askeds *q);
/* The answer will bear r's job_id and tenant, as they stand there. */
void asked_who(struct asked *a, const struct rec *r);
/* It is answered: admit is the value of that member. {"probe":true} for a probe. */
void asked_settle(struct asked *a, const struct buf *admit);
/* Appends to out the answers, each with LF, of which none is missing before. */
void asked_out(struct askeds *q, struct buf *out);

#endif
