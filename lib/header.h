/* header.h - what the headers of pipelines say. A header is the lines at the top of a
 * pipeline's file that begin with '#'; in it "#: KEY VALUE". That a line is right is
 * checked by the program pipeline-header; here all of them are read.
 * Functions never print, never exit (but see mem.h). Not thread-safe.
 */
#ifndef HEADER_H
#define HEADER_H

#include <stdbool.h>

/* A line: its number, from 1, its key and what follows, without blanks at either end.
 * Both may be empty, may be changed and are gone after the call. pipeline: the file's name. */
typedef void header_fn(void *arg, const char *pipeline, unsigned n, char *key, char *value);

/* Calls f for each line of a file in the folder dir (or AT_FDCWD), of its first 64 KiB.
 * 0, or -1 with errno; EINVAL: no regular file. */
int header_read(int dir, const char *name, header_fn *f, void *arg);

/* The same for all pipelines of a folder: executable files with a pipeline's name that can
 * be read. 0, or -1 with errno: the folder can't be read. */
int header_each(const char *folder, header_fn *f, void *arg);

/* A value's first word, without quotes and what an editor left at the line's end;
 * within value, which is cut. */
char *header_word(char *value);

/* Whether a topic may carry one pipeline's own requests; whether a pipeline may send its
 * events there. Those of Sluice's are nobody's own. */
bool header_own(const char *topic);
bool header_event(const char *topic);

/* The pipeline in folder whose header names this topic; NULL where none does, or more than
 * one, and for topics that are nobody's own. The folder is read once in a process: services
 * are started again when a pipeline changes. The string stays. */
const char *header_pipeline(const char *folder, const char *topic);

#endif
