/* tags.h - what an HTML tag does to the text around it: html.c's table. */
#ifndef TAGS_H
#define TAGS_H

#include <stddef.h>

enum tag_kind {
	TAG_BR,         /* a line break; two are a paragraph's end */
	TAG_LINE,       /* stands on lines of its own */
	TAG_PARA,       /* the same, with blank lines around */
	TAG_CELL,       /* of a table's row */
	TAG_LI,
	TAG_PRE,
	TAG_RAW,        /* nothing in it is read */
	TAG_TITLE
};

struct tag {
	char name[11];
	char kind;
};

/* By name, in any case. NULL: a tag that does nothing. */
const struct tag *tag_find(const char *name, size_t len);

#endif
