/* wire.h - lines to a filter behind a unix socket (door, hits), its answers back in
 * order, for a program that may not wait.
 *
 *     struct wire *w = wire_open(&(struct wire_opts){ .path = p, .answer = cb, .ctx = c });
 *     epoll_ctl(..., wire_fd(w), EPOLLIN)     // the same descriptor for ever
 *     each turn: wire_turn(w, now_ms()); wait wire_wait_ms(w, now_ms()) at the most
 *
 * A line is answered exactly once: by the filter's line, or by NULL when the
 * connection was lost or the filter took too long, and then it is not known what
 * became of it. Lost are also: an answer nobody asked for, one that is too long or no
 * JSON object. Then it connects again, after a pause that grows from 50 ms to 2 s until
 * a probe ({"probe":true}, answered by the same) has come back. A probe goes also while
 * nothing else does, so that a filter that cannot work is known before it is needed.
 *
 * Nothing blocks. Functions return a status, never print, never exit (but see mem.h).
 * One thread.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

struct wire;

struct wire_opts {
	const char *path;               /* of the socket; lives as long as the wire */
	/* line: borrowed for the call; NULL: there will be no answer. May send, may not
	 * close. */
	void (*answer)(void *ctx, uint64_t tag, const char *line, size_t len);
	void *ctx;
	size_t lines_max;               /* that wait for their answer; 0: 1000 */
	size_t bytes_max;               /* that are not written yet, unless it is a single line; 0: 64 MiB */
	size_t line_max;                /* of a line, each way; 0: 16 MiB + 64 KiB */
	unsigned long deadline_ms;      /* for an answer; 0: 30000 */
	unsigned long idle_ms;          /* without a line before a probe goes; 0: 5000 */
};

enum wire_state {
	WIRE_AWAY,      /* nobody answers there; a pause until the next try */
	WIRE_ASKING,    /* connected, the first probe is not back: lines are taken */
	WIRE_READY
};

enum wire_sent {
	WIRE_SENT = 0,
	WIRE_FULL = -1,         /* too much waits already */
	WIRE_TOO_LONG = -2,
	WIRE_NOT_THERE = -3     /* WIRE_AWAY */
};

/* NULL: errno (no epoll). Connects with the first turn. */
struct wire *wire_open(const struct wire_opts *o);
/* What waits gets its NULL. */
void wire_close(struct wire *w);

/* Queues a line, without LF in it; tag comes back with the answer. The line is copied. */
enum wire_sent wire_send(struct wire *w, const char *line, size_t len, uint64_t tag);

/* Connects, writes, reads, answers, as far as it goes without waiting. */
void wire_turn(struct wire *w, int64_t now);
/* Readable when wire_turn has something to do. */
int wire_fd(const struct wire *w);
/* When it has at the latest, from now on. */
int wire_wait_ms(const struct wire *w, int64_t now);

enum wire_state wire_state(const struct wire *w);
/* Why it is not ready, a few words for people; "" when it is. */
const char *wire_why(const struct wire *w);
/* How many lines wait for their answer. */
size_t wire_waiting(const struct wire *w);

#endif
