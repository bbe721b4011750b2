/* expose.h - what programs count (metrics.h), read from outside, as Prometheus
 * text: families in order of their names, HELP and TYPE before each. Numbers of
 * a program that has ended stay, but for its gauges. Reads the files, maps
 * none: one that shrinks or lies is no danger. Never prints, never exits. */
#ifndef EXPOSE_H
#define EXPOSE_H

#include "mem.h"

/* Appends every program's numbers of folder to out, and a gauge that says how many
 * files were no good. 0, or -1 with errno: the folder can't be read. */
int expose_folder(struct buf *out, const char *folder);

/* Appends HELP and TYPE of a family. */
void expose_family(struct buf *out, const char *name, const char *type, const char *help);

#endif
