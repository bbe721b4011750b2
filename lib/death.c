#include "death.h"

#include <signal.h>

#include "err.h"
#include "json.h"

enum { STDERR_MAX = 4096 };

/* Other than of a pipeline, of one stage the exit status tells something. */
static bool
may_pass(const struct feed_death *why)
{
	return why->why == FEED_TIMEOUT || why->why == FEED_CANCELLED || (why->why == FEED_ENDED &&
	    (why->code == XTEMP || why->signal == SIGKILL || why->signal == SIGTERM));
}

void
death_error(struct buf *out, const char *stage, const struct feed_death *why, bool memory,
    const char *err, size_t err_len)
{
	static const char *const code[] = { [FEED_ENDED] = "crashed", [FEED_TIMEOUT] = "timeout",
	    [FEED_CPU] = "timeout", [FEED_MEMORY] = "memory", [FEED_TOO_LARGE] = "too_large",
	    [FEED_CANCELLED] = "cancelled" };
	static struct buf message;

	message.len = 0;
	buf_addf(&message, "%s: %s%s", stage, why->text, memory ? ", near its limit of memory" : "");
	out->len = 0;
	buf_adds(out, "{\"stage\":");
	json_quotes(out, stage);
	buf_addf(out, ",\"code\":\"%s\",\"message\":", memory ? "memory" : code[why->why]);
	json_quote(out, message.p, message.len);
	buf_addf(out, ",\"retry\":%s", !memory && may_pass(why) ? "true" : "false");
	if (why->why != FEED_ENDED)
		;       /* we ended it: its status tells nothing */
	else if (why->signal)
		buf_addf(out, ",\"signal\":%d", why->signal);
	else
		buf_addf(out, ",\"exit\":%d", why->code);
	if (err && err_len) {
		size_t n = err_len < STDERR_MAX ? err_len : STDERR_MAX;

		buf_adds(out, ",\"stderr\":");
		json_quote(out, err + err_len - n, n);
	}
	buf_addc(out, '}');
}
