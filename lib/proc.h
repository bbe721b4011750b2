/* proc.h - run one child program to its end, within limits.
 *
 * The child is the leader of a process group of its own, which is killed
 * whole when a limit is passed or the leader has ended; it also dies with
 * this process. Its stdin is a descriptor (proc_memfd makes one from bytes),
 * so nothing is written to a pipe that the child may have closed. All signals
 * are unblocked and SIGPIPE is default in the child. No descriptor but 0, 1, 2
 * reaches it when ours are all close-on-exec, which is the rule in lib/.
 * Memory is limited by RLIMIT_DATA, never by RLIMIT_AS. One thread.
 */
#ifndef PROC_H
#define PROC_H

#include <stddef.h>

#include "limit.h"
#include "mem.h"

struct proc {
	const char *const *argv;        /* argv[0] is looked up in PATH */
	int in_fd;                      /* the child's stdin; -1: /dev/null */
	size_t out_max;                 /* most bytes of stdout; 0: no limit */
	/* Gets stdout piece by piece instead of the result's out; -1 with errno ends
	 * the child. NULL: none. out_max does not count then. */
	int (*sink)(void *ctx, const char *p, size_t len);
	void *ctx;
	unsigned long wall_ms;          /* 0: no limit */
	struct limit limit;
};

enum proc_end {
	PROC_EXIT,      /* code: the exit status */
	PROC_SIGNAL,    /* code: the signal */
	PROC_TIMEOUT,   /* wall or CPU time was used up */
	PROC_TOO_LARGE, /* stdout passed out_max; out holds its first out_max bytes */
	PROC_REFUSED,   /* the sink said no: code is its errno */
	PROC_NO_EXEC,   /* argv[0] could not be started: code is an errno */
	PROC_ERR        /* fork, pipe or poll failed here: code is an errno */
};

struct proc_result {
	enum proc_end end;
	int code;
	struct buf out;         /* owned; appended to */
	char err[512];          /* the last of stderr, NUL-terminated */
	size_t err_len;
};
#define PROC_RESULT_INIT { PROC_EXIT, 0, BUF_INIT, { 0 }, 0 }

/* Runs p and waits for its end. Fills *r, whose buffer may be reused. */
void proc_run(const struct proc *p, struct proc_result *r);

/* A close-on-exec descriptor with these bytes, at offset 0. -1 with errno. */
int proc_memfd(const char *name, const char *p, size_t len);

#endif
