#include "load.h"

/* Whether the batch lacked it; what is on its way may have it. */
static bool
add(struct loads *all, struct load *l, uint64_t hash)
{
	for (size_t i = 0; i < all->n; i++)
		l->apart |= all->l[i].out && seen_has(&all->l[i].seen, hash);
	return seen_add(&l->seen, hash);
}

bool
load_keys(struct loads *all, struct load *l, const struct entry *q)
{
	uint64_t tenant = seen_hash(SEEN_START, &q->tenant);
	bool fresh = true;

	if (q->has_source)
		fresh = add(all, l, seen_hash(seen_hash(17 + q->part * 31 + q->off * 2654435761u, &q->topic), &q->cluster));
	if (!q->reject) {
		fresh &= add(all, l, seen_hash(tenant, &q->job_id));
		fresh &= add(all, l, seen_hash(seen_hash(tenant + 1, &q->doc_key), &q->pipeline));
	}
	l->apart |= q->mends;
	return fresh;
}

void
load_add(struct load *l)
{
	const struct entry *q = &l->q[l->n++];
	uint64_t pipeline = q->reject ? 0 : seen_hash(SEEN_START, &q->pipeline);

	l->bytes += q->line.len;
	if (!q->has_source)
		return;
	l->pipeline = l->sources && l->pipeline != pipeline ? 0 : pipeline;
	l->sources = true;
}

/* The ledger keeps the order of batches that have a pipeline in common: records of places need it. What mends has keys
 * that only the ledger knows. */
bool
load_waits(const struct loads *all, const struct load *l)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct load *o = &all->l[i];

		if (o->out && (o->q[0].mends || (l->sources && o->sources && (!l->pipeline || l->pipeline != o->pipeline))))
			return true;
	}
	return l->apart;
}

struct load *
load_of(struct loads *all, const struct entry *q)
{
	struct load *l = all->l;

	while (l->q != q)
		l++;
	return l;
}

struct load *
load_free(struct loads *all)
{
	struct load *l = all->l;

	while (l->out)
		l++;
	return l;
}

void
load_clear(struct load *l)
{
	l->n = l->bytes = 0;
	l->out = l->apart = l->sources = false;
	seen_clear(&l->seen);
}
