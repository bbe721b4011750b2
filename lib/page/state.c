#include <string.h>

#include "esc.h"
#include "frame.h"

/* Never by colour alone: each has a shape, in a box of 16 by 16, and its name. */
static const struct {
	const char *name, *class, *path;
} states[] = {
	{ "queued", "s-quiet", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z" },
	{ "processing", "s-busy", "M4 2.5l9 5.5l-9 5.5z" },
	{ "waiting", "s-wait", "M5 3v10M11 3v10" },
	{ "completed", "s-good", "M2.5 8.5l4 4l7-9" },
	{ "failed", "s-bad", "M3 3l10 10M13 3l-10 10" },
	{ "cancelled", "s-quiet", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM4.2 11.8l7.6-7.6" },
	{ "retried", "s-wait", "M12.5 5a5.5 5.5 0 1 0 1 4M13 2v3.5h-3.5" },
	{ "live", "s-good", "M2.5 8.5l4 4l7-9" },
	{ "idle", "s-quiet", "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z" },
	{ "late", "s-wait", "M8 2v7M8 12v2" },
	{ "lost", "s-bad", "M3 3l10 10M13 3l-10 10" },
	{ "done", "s-quiet", "M2.5 8.5l4 4l7-9" },
	{ "paused", "s-wait", "M5 3v10M11 3v10" },
	{ "running", "s-busy", "M4 2.5l9 5.5l-9 5.5z" },
};

static void
put(struct buf *out, const char *class, const char *path)
{
	buf_addf(out, "<span class=\"state %s\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\" focusable=\"false\"><path d=\"%s\"/></svg>",
	    class, path);
}

void
frame_state_of(struct buf *out, const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(state, states[i].name)) {
			put(out, states[i].class, states[i].path);
			buf_addf(out, "%s</span>", states[i].name);
			return;
		}
}

void
frame_state(struct buf *out, const struct rec *r, const char *name)
{
	const struct rec_member *m = rec_get(r, name);

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (m && rec_is(m, states[i].name)) {
			frame_state_of(out, states[i].name);
			return;
		}
	if (!m)
		return;
	put(out, "s-quiet", "M3 8h10");
	fill_value(out, m, 40);
	buf_adds(out, "</span>");
}
