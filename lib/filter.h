/* filter.h - a filter as a child: one process group with a pipe on each of its
 * three descriptors, that cannot outlive us.
 *
 * The group's leader is a guardian, a fork of ours that execs nothing: it
 * starts the command, tells us how it ended and stays until we are done with
 * the group. When its lifeline (a pipe whose other end only we hold) closes, it
 * ends the group: TERM, a second later KILL. So a feeder's children die with
 * it, however it dies, and those that outlive the command too.
 *
 * The caller's ends are non-blocking and close-on-exec. Functions return a
 * status and set errno; they never print, never exit.
 */
#ifndef FILTER_H
#define FILTER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct filter {
	pid_t pid;              /* the guardian, also the group; 0: none */
	int in;                 /* we write its stdin; -1 when closed */
	int out;                /* we read its stdout; -1 when ended */
	int err;                /* we read its stderr; -1 when ended */
	int status;             /* readable once the command has ended */
	int life;
	bool ended;             /* code and signal are set */
	int code;               /* exit status, -1 after a signal */
	int signal;
};
#define FILTER_INIT { 0, -1, -1, -1, -1, -1, false, 0, 0 }

/* argv[0] is looked up in PATH unless it has a slash; what cannot be executed
 * exits 126 or 127. 0, or -1 with errno. */
int filter_start(struct filter *f, char **argv);
/* True once the command has ended, or its guardian was killed. */
bool filter_poll_end(struct filter *f);
void filter_close_in(struct filter *f);
/* Sends sig to the whole group. */
void filter_kill(struct filter *f, int sig);
/* Kills what is left of the group, reaps, closes everything. */
void filter_finish(struct filter *f);

#endif
