#include <stdlib.h>
#include <string.h>

#include "lexicon/lexmake.h"

/* A state's terms, by their places in the order. */
struct span {
	uint32_t lo, hi;
};

static struct span *
grow(struct lex_trie *t, struct span *span)
{
	if (t->states + 1 < t->cap)
		return span;
	t->cap = t->cap ? 2 * t->cap : 4096;
	t->first = mem_array(t->first, t->cap, sizeof *t->first);
	t->by = mem_array(t->by, t->cap, sizeof *t->by);
	t->term = mem_array(t->term, t->cap, sizeof *t->term);
	t->depth = mem_array(t->depth, t->cap, 1);
	return mem_array(span, t->cap, sizeof *span);
}

/* Breadth first over the ordered terms: a state's terms lie together, those that end
 * in it first, so its children are the runs of equal next words behind them. */
static void
states(struct lex_trie *t, const struct lex_make *m, const uint32_t *number)
{
	struct span *span = grow(t, NULL);

	span[0] = (struct span){ 0, (uint32_t)m->n };
	t->states = 1;
	t->by[0] = t->term[0] = 0;
	t->depth[0] = 0;
	for (uint32_t s = 0; s < t->states; s++) {
		uint32_t i = span[s].lo, hi = span[s].hi;
		unsigned d = t->depth[s];

		while (i < hi && m->term[i].n == d)
			i++;
		t->term[s] = s && i > span[s].lo ? 1 + number[span[s].lo] : 0;
		t->first[s] = t->states;
		while (i < hi) {
			uint32_t w = m->seq[m->term[i].seq + d], from = i;

			while (i < hi && m->seq[m->term[i].seq + d] == w)
				i++;
			span = grow(t, span);
			span[t->states] = (struct span){ from, i };
			t->by[t->states] = w;
			t->depth[t->states] = (unsigned char)(d + 1);
			t->states++;
		}
	}
	t->first[t->states] = t->states;
	free(span);
}

static uint32_t
child(const struct lex_trie *t, uint32_t s, uint32_t w)
{
	uint32_t lo = t->first[s], hi = t->first[s + 1];

	if (!s)
		return w < t->roots ? w + 1 : 0;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->by[mid] == w)
			return mid;
		if (t->by[mid] < w)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* Shallower states have theirs already. */
static void
fails(struct lex_trie *t)
{
	t->fail = mem_array(NULL, t->states, sizeof *t->fail);
	t->tail = mem_array(NULL, t->states, sizeof *t->tail);
	t->fail[0] = t->tail[0] = 0;
	for (uint32_t s = 0; s < t->states; s++)
		for (uint32_t c = t->first[s]; c < t->first[s + 1]; c++) {
			uint32_t f = s, to = 0;

			while (f && !(to = child(t, t->fail[f], t->by[c])))
				f = t->fail[f];
			t->fail[c] = to;
			t->tail[c] = t->term[c] ? c : t->tail[to];
		}
}

void
lex_trie_make(struct lex_trie *t, const struct lex_make *m, uint32_t roots, const uint32_t *number)
{
	memset(t, 0, sizeof *t);
	t->roots = roots;
	states(t, m, number);
	fails(t);
}

void
lex_trie_free(struct lex_trie *t)
{
	free(t->first);
	free(t->by);
	free(t->fail);
	free(t->tail);
	free(t->term);
	free(t->depth);
	memset(t, 0, sizeof *t);
}
