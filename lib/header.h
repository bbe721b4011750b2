/* header.h - what the headers of pipelines say to the intake: which pipeline a topic's
 * requests run through that name none. A header is the comment at the top of a
 * pipeline's file, and "#: topic NAME" in it (lib/sh/pipeline-header checks all of it).
 * Functions never print, never exit (but see mem.h). Not thread-safe.
 */
#ifndef HEADER_H
#define HEADER_H

/* The pipeline in folder whose header names this topic; NULL where none does, or more than
 * one, and for the topics that all pipelines share (ingest., jobs., mapping.). The
 * folder is read once in a process: services are started again when a pipeline changes.
 * The string stays. */
const char *header_pipeline(const char *folder, const char *topic);

#endif
