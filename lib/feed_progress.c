/* feed_progress.c - how far a record is, by what the stages said of it. */
#include "feed_int.h"

#include <stdio.h>
#include <string.h>

enum { SLOW_MS = 1000, QUIET_MS = 5000, STAGES = 2 * FEED_STAGES + 1 };

static bool
same_order(const struct feed *f, const struct slot *s)
{
	for (size_t i = 0; i < s->ntimes; i++)
		if (strcmp(f->known[i].name, s->time[i].name))
			return false;
	return true;
}

static struct stage_known *
known(struct feed *f, const char *name)
{
	for (size_t i = 0; i < f->nknown; i++)
		if (!strcmp(f->known[i].name, name))
			return f->known + i;
	return NULL;
}

/* The longest list counts. Stages say things in batches, so what quick records show of the order
 * may be wrong; a slow one corrects it. */
void
feed_learn(struct feed *f, const struct slot *s)
{
	struct stage_known *k;
	bool slow = f->now - s->sent_at >= SLOW_MS;

	if (f->o.nested || s->ntimes < f->nknown || !s->ntimes)
		return;
	if (s->ntimes > f->nknown || (slow && !same_order(f, s))) {
		struct stage_known was[FEED_STAGES];
		size_t n = f->nknown;

		memcpy(was, f->known, sizeof(was));
		for (f->nknown = 0; f->nknown < s->ntimes; f->nknown++) {
			memcpy(f->known[f->nknown].name, s->time[f->nknown].name, sizeof(was->name));
			f->known[f->nknown].again = false;
		}
		for (size_t i = 0; i < n; i++)
			if (was[i].again && (k = known(f, was[i].name)))
				k->again = true;
		f->known_told = false;
	}
	for (size_t i = 0; i < s->ntimes; i++)
		if (s->time[i].again && (k = known(f, s->time[i].name)))
			k->again = true;
}

size_t
feed_stages(struct feed *f, const char *names[FEED_STAGES_MAX])
{
	if (f->known_told)
		return 0;
	f->known_told = true;
	for (size_t i = 0; i < f->nknown; i++)
		names[i] = f->known[i].name;
	return f->nknown;
}

static int
digits(const char **p)
{
	int n = 0;

	while (**p >= '0' && **p <= '9' && n < 10000000)
		n = n * 10 + (*(*p)++ - '0');
	return n;
}

/* Thousandths, of "chunk 40 of 100", "40/100" and the like; 0: it says nothing of the kind. */
static int
part_done(const char *text)
{
	for (const char *p = text; *p; p++) {
		int n, all;

		if (*p < '0' || *p > '9')
			continue;
		n = digits(&p);
		if (!strncmp(p, " of ", 4))
			p += 4;
		else if (*p == '/')
			p++;
		else if (*p)
			continue;
		else
			return 0;
		all = digits(&p);
		if (all > 0 && n <= all)
			return (int)((int64_t)n * 1000 / all);
		if (!*p)
			return 0;
	}
	return 0;
}

/* The stages there are, as far as we know, and which of them have this record behind them. */
struct path {
	const char *name[STAGES];
	bool over[STAGES];
	size_t n;
};

static size_t
on_path(struct path *p, const char *name)
{
	size_t i = 0;

	while (i < p->n && strcmp(p->name[i], name))
		i++;
	if (i == p->n) {
		p->over[i] = false;
		p->name[p->n++] = name;
	}
	return i;
}

static void
path_of(struct path *p, struct feed *f, const struct slot *s)
{
	p->n = 0;
	for (size_t i = 0; i < f->nknown; i++)
		on_path(p, f->known[i].name);
	for (size_t i = 0; i < s->ntimes; i++) {
		const struct stage_known *k = known(f, s->time[i].name);

		p->over[on_path(p, s->time[i].name)] = !s->time[i].again && !(k && k->again);
	}
}

/* False: nobody has said anything. */
static bool
where_is(struct feed *f, const struct slot *s, struct feed_progress *out)
{
	static char name[sizeof(s->progress)];
	const char *text = strstr(s->progress, ": ");
	int mille = 0;
	struct path p;
	size_t at = 0, said;

	path_of(&p, f, s);
	for (size_t i = 0; i < p.n; i++)
		if (p.over[i])
			at = i + 1;
	if (text && text - s->progress < (ptrdiff_t)sizeof(f->known->name)) {
		snprintf(name, sizeof(name), "%.*s", (int)(text - s->progress), s->progress);
		said = on_path(&p, name);
		if (said >= at) {
			at = said;
			out->text = text + 2;
			mille = part_done(out->text);
		}
	}
	if (!p.n)
		return false;
	if (at == p.n) {
		at--;
		mille = 1000;
	}
	out->stage = p.name[at];
	/* How many stages are to come is not known before a record has come through. */
	out->percent = f->nknown || p.n == 1 ? (int)(at * 1000 + (size_t)mille) / (int)(p.n * 10) : 0;
	if (out->percent > 99)
		out->percent = f->nknown || out->text ? 99 : 0;
	return true;
}

void
feed_progress(struct feed *f, int64_t old_ms, void (*fn)(void *ctx, const struct feed_progress *p), void *ctx)
{
	static struct buf now;

	if (f->mode != M_FEEDING || !f->sent.head || f->now - f->sent.head->sent_at < old_ms)
		return;
	feed_read_hints(f);     /* nobody answers, so nobody has read them */
	for (struct slot *s = f->sent.head; s && f->now - s->sent_at >= old_ms; s = s->next) {
		struct feed_progress p = { .tag = s->tag };

		/* Not a word yet: it may only wait for its turn. */
		if (!s->ntimes && !*s->progress && f->now - s->sent_at < QUIET_MS)
			continue;
		if (!where_is(f, s, &p))
			continue;
		if (p.percent < s->percent)
			p.percent = s->percent;
		now.len = 0;
		buf_addf(&now, "%d %s %s", p.percent, p.stage, p.text ? p.text : "");
		if (s->told.len == now.len && !memcmp(s->told.p, now.p, now.len))
			continue;
		s->told.len = 0;
		buf_add(&s->told, now.p, now.len);
		s->percent = p.percent;
		fn(ctx, &p);
	}
}
