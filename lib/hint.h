/* hint.h - "there is something to read": who makes a job says so, who waits for
 * jobs hears it, by NOTIFY on the channel HINT_CHANNEL with the pipeline's name.
 *
 * A hint may be lost, late or wrong and nothing but time is lost by it: workers
 * look for themselves. Both sides have a connection of their own. What goes wrong
 * with it is said once, when it begins, and it is tried again after 1, 2, ... 16 s.
 * Nothing here fails, and nothing waits for the server (but hint_end). */
#ifndef HINT_H
#define HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pg.h"

#define HINT_CHANNEL "sluice_ready"

/* Saying: by a thread, that the first hint starts. Call from one thread only. */

/* Jobs of this pipeline were committed. conninfo lives as long as the process. */
void hint_say(const char *conninfo, const char *pipeline, size_t len);
/* Waits for what was said to be on its way, a moment at the most. */
void hint_end(void);

/* Hearing: in the caller's loop. */

enum hint_state { HINT_OFF, HINT_CONNECTING, HINT_ASKING, HINT_HEARING };

struct hint_ear {
	const char *conninfo, *pipeline;        /* set both; they live as long as this */
	const struct pg *near;  /* connected: hints are heard from the same server */
	void *conn;             /* PGconn, owned */
	enum hint_state state;
	bool writes;            /* waits for room to write, not for something to read */
	bool told;              /* of this outage */
	int64_t retry_at, give_up_at, pause_ms;
};

/* Each turn. True when there may be something to read: a hint came, or we begin
 * to hear and may have missed one. Never blocks. */
bool hint_hear(struct hint_ear *e, int64_t now);
/* What to wait for until the next turn, or -1. */
int hint_fd(const struct hint_ear *e);          /* to be readable */
int hint_fd_out(const struct hint_ear *e);      /* to be writable */
void hint_release(struct hint_ear *e);

#endif
