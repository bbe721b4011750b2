/* jobtype.h - the kinds of jobs of the older envelope (CONTRACTS 1.1): an
 * object of one member that is named for the kind and holds its parameters.
 * Pure functions on text. */
#ifndef JOBTYPE_H
#define JOBTYPE_H

#include "check.h"
#include "mem.h"
#include "rec.h"

struct jobtype {
	const char *variant;    /* "NLP" */
	const char *word;       /* "nlp", as operators name it in lists of what is allowed */
	const struct check_rule *rules;
	const char *model, *inputs;     /* which parameters these are; NULL: none */
};

/* By the name of its variant, or NULL. m: the only member of job_type. */
const struct jobtype *jobtype_of(const struct rec_member *m);

/* The word of today for a priority on an older scale, or NULL. Envelope: 1 to 4,
 * or its names; the request within: 0 to 10, above that thirds of 255. */
const char *jobtype_priority(const struct rec_member *m, bool envelope);

/* Faults of the member job_type, which is there. allowed: words by ','. */
void jobtype_check(struct check *c, const struct rec_member *m, const char *allowed);

#endif
