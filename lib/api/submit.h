/* submit.h - what the parts of submitting share: requests as lines, and what became of them. */
#ifndef SUBMIT_H
#define SUBMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"

struct fault {
	unsigned status;
	const char *code, *member, *detail;     /* borrowed until the next request_line */
};

/* The request p as a line of the intake. index: its place among those of one call. False: *f. */
bool request_line(const struct call *c, const char *p, size_t len, size_t index, struct buf *line, struct fault *f);

/* Appends to out what the intake's answer to the request says, as the body of a 200 or 202 or as a problem
 * document, and returns the status. line NULL: there was no answer. location: the
 * path of the job, or empty. */
struct asked_for {
	const struct call *c;
	const char *p;
	size_t len;
};
unsigned outcome_json(struct buf *out, const struct asked_for *request, const char *line, size_t len, struct buf *location);

#endif
