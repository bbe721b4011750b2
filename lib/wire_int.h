/* wire_int.h - what the parts of wire.h share. Internal: wire.c has the lines that wait and
 * the clock, wire_io.c the socket. */
#ifndef WIRE_INT_H
#define WIRE_INT_H

#include <stdbool.h>

#include "mem.h"
#include "ndjson.h"
#include "wire.h"

#define WIRE_PROBE "{\"probe\":true}"
#define WIRE_PROBE_LEN (sizeof(WIRE_PROBE) - 1)

enum { WIRE_PAUSE_MS = 50 };

struct wire_line {
	uint64_t tag;
	int64_t at;
	bool probe;
};

struct wire {
	struct wire_opts o;
	int epoll, fd;          /* fd -1: not connected */
	uint32_t events;        /* that the epoll watches fd for */
	enum wire_state state;
	char why[128];
	struct in in;
	struct buf out;
	size_t out_at;          /* so much of it is written */
	struct wire_line *w;      /* a ring */
	size_t cap, first, n;
	int64_t retry_at, pause_ms, last_at;
	bool more;              /* whole lines are read and not answered yet */
};

/* The oldest that waits goes. */
struct wire_line wire_first(struct wire *w);

/* Of those that return text: NULL, or why the connection is none (any more). */
const char *wire_connect(struct wire *w);
const char *wire_read(struct wire *w);  /* and answers */
int wire_write(struct wire *w);         /* 0, or an errno */
/* Sets what the epoll waits for. */
void wire_watch(struct wire *w);

#endif
