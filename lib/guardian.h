/* guardian.h - the leader of a filter's process group, filter.h's other half.
 *
 * A fork of ours that execs nothing: it starts the command, writes how it ended
 * to the status pipe, and stays until its lifeline closes or says so.
 * Everything here runs after fork, beside other threads of the parent: only
 * async-signal-safe calls.
 */
#ifndef GUARDIAN_H
#define GUARDIAN_H

#include "limit.h"

/* How the command ended, as the guardian tells it. */
struct guardian_end {
	int status;             /* as from waitpid(2) */
	long rss_kb;
};

/* [0] is for reading. The command has in[0], out[1], err[1] and hints[1] (-1: none). */
struct guardian_pipes {
	int in[2], out[2], err[2], status[2], life[2], hints[2];
};

/* For a child that has just been forked. */
void guardian_lead(const struct guardian_pipes *p, char **argv, char **env, const struct limit *limit)
    __attribute__((noreturn));

#endif
