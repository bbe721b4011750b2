/* filter.h - a filter as a child: one process group with a pipe on each of its
 * three descriptors, that cannot outlive us.
 *
 * The group's leader is a guardian, a fork of ours that execs nothing: it
 * starts the command, tells us how it ended and stays until we are done with
 * the group. When its lifeline (a pipe whose other end only we hold) closes, it
 * ends the group: TERM, a second later KILL. So a feeder's children die with
 * it, however it dies, and those that outlive the command too. Descendants
 * that left the group become its children when their parents end; they are
 * killed with the rest.
 *
 * The caller's ends are non-blocking and close-on-exec. Functions return a
 * status and set errno; they never print, never exit.
 */
#ifndef FILTER_H
#define FILTER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "limit.h"

struct filter {
	pid_t pid;              /* the guardian, also the group; 0: none */
	int in;                 /* we write its stdin; -1 when closed */
	int out;                /* we read its stdout; -1 when ended */
	int err;                /* we read its stderr; -1 when ended */
	int status;             /* readable once the command has ended */
	int hints;              /* we read what it says in SLUICE_HINTS; -1: nothing */
	int life;
	bool killed;            /* KILL was asked for */
	bool ended;             /* code, signal and rss are set */
	int code;               /* exit status, -1 after a signal */
	int signal;
	size_t rss;             /* bytes, the most that the command or one that it waited for had */
};
#define FILTER_INIT { .in = -1, .out = -1, .err = -1, .status = -1, .hints = -1, .life = -1 }

struct filter_opts {
	struct limit limit;     /* for the command and what it starts */
	bool hints;             /* give it SLUICE_HINTS; without this it has none, whatever we have */
};

/* argv[0] is looked up in PATH unless it has a slash; what cannot be executed
 * exits 126 or 127. 0, or -1 with errno. */
int filter_start(struct filter *f, char **argv, const struct filter_opts *o);
/* True once the command has ended, or its guardian was killed. */
bool filter_poll_end(struct filter *f);
void filter_close_in(struct filter *f);
/* Sends sig to the whole group; KILL also ends those that left it, and asked
 * for again ends a guardian that does not do it. */
void filter_kill(struct filter *f, int sig);
/* Kills what is left of the group, reaps, closes everything. */
void filter_finish(struct filter *f);

#endif
