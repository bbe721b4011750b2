/* err.h - messages and exits, the same in every program.
 *
 * One message is one line and one write(2) on stderr:
 *     PROG: fatal|warning|info: text[: strerror]
 * Bytes that do not print become '?'. Only main, the die functions and the
 * allocator (mem.h) end a program; every other function returns a status.
 */
#ifndef ERR_H
#define ERR_H

enum {
	XNO = 1,        /* the answer is no (question-answering tools only) */
	XPERM = 100,    /* usage, configuration: do not restart */
	XBUG = 101,     /* an invariant of our own is broken */
	XTEMP = 111     /* I/O, memory, a peer, torn input: restart */
};

/* Sets the program's name for messages; name must live as long as the process. */
void err_init(const char *name);
const char *err_prog(void);

void info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with ": strerror(errno)" at the end. */
void warn_sys(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void die(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
void die_sys(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* The same without exit handlers, for the allocator: the library that asked
 * for memory may hold locks that its own handler would wait for. */
void die_sys_now(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* Prints "usage: " and the first line of usage on stderr, exits 100. */
void die_usage(const char *usage) __attribute__((noreturn));

#endif
