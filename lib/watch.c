#include "watch.h"

#include "now.h"
#include "tree.h"

enum { LOOK_MS = 90 };

bool
watch_wanted(const struct watch *w)
{
	return w->memory || w->cpu_ms;
}

void
watch_moved(struct watch *w)
{
	w->moved = true;
}

bool
watch_is_memory(const struct watch *w, size_t rss)
{
	size_t near = w->memory - w->memory / 8;

	return w->memory && (rss >= near || w->before >= near);
}

/* What it has when it has passed its probe is its size: it may have taken long
 * to load what it needs. */
static void
weigh(struct watch *w, size_t rss, size_t given)
{
	if (!w->sized)
		w->first = rss;
	w->sized = given;
	if (w->moved || rss > w->most)
		w->most = rss;
}

void
watch_look(struct watch *w, struct feed *f)
{
	int group = feed_group(f);
	struct tree_use u;
	size_t given, inside = feed_inside(f, &given);
	int64_t now;

	if (!watch_wanted(w) || !group)
		return;
	now = now_ms();
	if (group == w->group && now - w->looked_at < LOOK_MS && (w->sized || !given))
		return;
	w->looked_at = now;
	tree_use(group, &u);
	if (group != w->group) {
		w->before = w->most;
		w->most = 0;
		w->sized = false;
	}
	weigh(w, u.rss, given);
	if (group != w->group || w->moved || !inside)
		w->cpu_from = u.cpu_ms;
	w->group = group;
	w->moved = false;
	if (w->memory && u.rss > w->memory)
		feed_end_filter(f, FEED_MEMORY);
	else if (w->cpu_ms && u.cpu_ms > w->cpu_from + w->cpu_ms)
		feed_end_filter(f, FEED_CPU);
	else if (w->memory && u.rss > w->first && u.rss - w->first > (w->memory - w->first) / 2)
		feed_recycle(f);
}
