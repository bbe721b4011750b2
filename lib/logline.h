/* logline.h - the log of an attempt as lines, and which stage said each.
 *
 * Programs begin their lines with their name, "embed: warning: ...", and that is
 * all there is to go by: a program that repeats what a document says may say it
 * in another's name, but only in the log of the job that it is about. No I/O,
 * no memory of its own; what it hands out lies in the log.
 */
#ifndef LOGLINE_H
#define LOGLINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LOGLINE_NAME = 64 };     /* most bytes of a name */
#define LOGLINE_OTHER "other"   /* stands for the lines of no known stage; no stage has that name */

struct logline {
	const char *p;
	size_t len;             /* with its LF, if it has one */
	size_t name;            /* so many of its bytes are the stage's name; 0: not known */
};

/* The line at *at of log[0..len), and on to the next one. False: there is none. known: stages' names,
 * blanks between them, or NULL; without, a name is of [a-z][a-z0-9-]* and no word such as "error". */
bool logline_next(struct logline *l, const char *log, size_t len, size_t *at, const char *known);
/* Whether that stage said it, or none that is known (LOGLINE_OTHER); NULL: whoever. */
bool logline_is(const struct logline *l, const char *stage);

#endif
