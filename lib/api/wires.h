/* wires.h - lines of calls to the filters behind the intake's and the search's sockets. */
#ifndef WIRES_H
#define WIRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

enum wires_which { WIRES_INTAKE, WIRES_HITS, WIRES_N };

/* What wants a line's answer. It is the owner's until then. */
struct asking {
	void (*answer)(struct asking *a, const char *line, size_t len);        /* line NULL: there will be none */
};

void wires_start(void);
/* As wire_send; WIRE_NOT_THERE also where there is no such socket. */
enum wire_sent wires_send(enum wires_which w, const char *line, size_t len, struct asking *a);
bool wires_ready(enum wires_which w);
/* Why not, a few words. */
const char *wires_why(enum wires_which w);

/* Batches that wait for room go on (submit.c): called after each turn in which
 * something was answered. */
void submit_room(void);

#endif
