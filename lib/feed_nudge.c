/* feed_nudge.c - finds a filter that has lost a stage while nothing flows.
 *
 * Where a late stage of a pipeline dies, the earlier ones notice when they
 * next write to it. If all that they were given has passed them already,
 * they never do: they wait for input, the shell waits for them, and the
 * record in flight would wait for its deadline. So a record (the first probe
 * too: an hour is a long time to start) that is unanswered for a second is followed by a probe each second, which nobody
 * has to answer: it makes one stage after the other write. With nothing in
 * flight one goes every five seconds, so that a stage that died meanwhile is
 * found before the next record needs it.
 */
#include "feed_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { NUDGE_MS = 1000, IDLE_MS = 5000 };

#define TOKEN "\"nudge\""

/* Shorter than PIPE_BUF: a pipe takes all of it or nothing. */
static const char line[] = "{\"job_id\":\"probe\",\"probe\":true,\"error\":{\"stage\":\"feed\","
    "\"code\":\"probe\",\"message\":\"pass this on\",\"retry\":false},\"feed\":" TOKEN "}\n";

void
feed_nudge(struct feed *f)
{
	int64_t since = f->oldest ? f->oldest_since : f->idle_since;
	int64_t every = f->oldest ? NUDGE_MS : IDLE_MS;

	if (f->partial || f->filter.in < 0 || f->now - since < every || f->now - f->nudged_at < every)
		return;
	f->nudged_at = f->now;
	if (write(f->filter.in, line, sizeof(line) - 1) < 0 && errno != EAGAIN && errno != EINTR)
		filter_close_in(&f->filter);
}

bool
feed_is_nudge(const struct rec_member *token)
{
	return token && token->val_len == sizeof(TOKEN) - 1 &&
	    memcmp(token->val, TOKEN, sizeof(TOKEN) - 1) == 0;
}
