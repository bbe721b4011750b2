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

	return w->memory && (rss >= near || w->last >= near);
}

void
watch_look(struct watch *w, struct feed *f)
{
	int group = feed_group(f);
	struct tree_use u;
	size_t given;
	int64_t now;

	if (!watch_wanted(w) || !group)
		return;
	now = now_ms();
	if (group == w->group && now - w->looked_at < LOOK_MS)
		return;
	w->looked_at = now;
	tree_use(group, &u);
	w->last = u.rss;
	if (group != w->group || !w->first)
		w->first = u.rss;
	if (group != w->group || w->moved || !feed_inside(f, &given))
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
