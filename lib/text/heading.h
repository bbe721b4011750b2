/* heading.h - under which headings a place in a document stands. Parsers give
 * levels, some of them the same for all; numbers in headings ("2.1 Data") say it
 * better where they are. Functions never print.
 */
#ifndef HEADING_H
#define HEADING_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

enum {
	HEADING_DEPTH = 8,      /* deepest nesting; what is deeper stands at the last place */
	HEADING_MAX = 200,      /* bytes of a heading in a path */
	HEADING_TITLE = 500     /* bytes of a document's title */
};

struct heading_level {
	unsigned level;
	char number[24];        /* "2.1", or empty */
	struct buf text;
};

struct headings {
	struct heading_level l[HEADING_DEPTH];
	size_t n;
};

void heading_reset(struct headings *h);
/* A heading of that level (from 1): what is as deep or deeper ends. */
void heading_enter(struct headings *h, const char *text, size_t len, unsigned level);
/* Appends the JSON array of the headings that we are under; nothing if none. */
void heading_path(struct buf *out, const struct headings *h);

/* Whether a document's first heading is its title and not that of a section:
 * not too long, no number, and not "Abstract" and the like. */
bool heading_is_title(const char *text, size_t len);
/* Whether two headings say the same, letters' case and punctuation aside. */
bool heading_same(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
