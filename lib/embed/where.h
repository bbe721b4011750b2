/* where.h - where the model's files are. */
#ifndef WHERE_H
#define WHERE_H

#include "mem.h"

#define WHERE_MODEL "all-MiniLM-L6-v2"

/* Appends the model's folder: opt if it is not NULL, else $SLUICE_MODEL, else
 * .deps/model/all-MiniLM-L6-v2 in the nearest folder above the program's file
 * that has it (the checkout, for bin/ and build/MODE/bin/); when none has it,
 * the one that `make deps` would fill. Need not exist. */
void where_model(struct buf *out, const char *opt);
/* Appends dir/name and a NUL that len does not count; returns the string. */
const char *where_file(struct buf *out, const char *dir, const char *name);

#endif
