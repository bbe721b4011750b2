/* loop.h - one epoll loop: descriptors and what is called when they are ready, and
 * timers. One thread. Exits (die_sys) only while it starts and where the kernel
 * has no memory for a descriptor. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_io {
	int fd;                 /* -1: not in the loop */
	uint32_t events;        /* EPOLLIN, EPOLLOUT */
	void (*ready)(struct loop_io *io, uint32_t events);
};

struct loop_timer {
	int64_t at;             /* now_ms when it is due; 0: off */
	void (*due)(struct loop_timer *t);
	struct loop_timer *next;
	bool known;
};

void loop_open(void);
/* Puts io there with these events, or changes them. It is the owner's, who calls
 * loop_off before closing fd. */
void loop_on(struct loop_io *io, int fd, uint32_t events);
void loop_off(struct loop_io *io);
/* Calls t->due once, in wait_ms. A timer lives as long as the process. */
void loop_in(struct loop_timer *t, int64_t wait_ms);
/* Waits for something, wait_ms at the most (-1: as long as it takes), and calls
 * what is due. True when something was. */
bool loop_turn(int wait_ms);

#endif
