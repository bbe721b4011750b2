#include "lane.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static size_t
place(const struct lanes *ls, int id)
{
	size_t lo = 0, hi = ls->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ls->lane[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct lane *
lanes_find(const struct lanes *ls, int id)
{
	size_t i = place(ls, id);

	return i < ls->n && ls->lane[i]->id == id ? ls->lane[i] : NULL;
}

struct lane *
lanes_get(struct lanes *ls, int id)
{
	size_t i = place(ls, id);
	struct lane *l;

	if (i < ls->n && ls->lane[i]->id == id)
		return ls->lane[i];
	if (ls->n == ls->cap) {
		ls->cap = ls->cap ? ls->cap * 2 : 16;
		ls->lane = mem_array(ls->lane, ls->cap, sizeof(struct lane *));
	}
	l = mem_zalloc(sizeof(*l));
	l->id = id;
	memmove(ls->lane + i + 1, ls->lane + i, (ls->n - i) * sizeof(struct lane *));
	ls->lane[i] = l;
	ls->n++;
	return l;
}

void
lane_count(struct lane *l, int n)
{
	if (!l)
		return;
	l->held += n;
	if (n > 0)
		l->room -= n;
}

void
lanes_recount(struct lanes *ls, struct lane **at, int id)
{
	if ((*at ? (*at)->id : 0) == id)
		return;
	lane_count(*at, -1);
	*at = id ? lanes_get(ls, id) : NULL;
	lane_count(*at, 1);
}

bool
lanes_eager(const struct lanes *ls, bool ready)
{
	for (size_t i = 0; i < ls->n; i++) {
		const struct lane *l = ls->lane[i];

		if ((l->parked.n || (l == ls->whole && ready)) && (!l->asked || l->held < l->told))
			return true;
	}
	return false;
}

static void
drop(struct lane *l)
{
	free(l->parked.at);
	free(l);
}

void
lanes_reset(struct lanes *ls)
{
	size_t kept = 0;

	for (size_t i = 0; i < ls->n; i++) {
		struct lane *l = ls->lane[i];

		if (l->held || l->waits) {
			l->room = 0;
			l->asked = false;
			ls->lane[kept++] = l;
		} else
			drop(l);
	}
	ls->n = kept;
	ls->whole = NULL;
}

void
lanes_release(struct lanes *ls)
{
	for (size_t i = 0; i < ls->n; i++)
		drop(ls->lane[i]);
	free(ls->lane);
	memset(ls, 0, sizeof(*ls));
}
