#include "lexicon/lexfind.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* The best one is final: whatever comes later begins behind it. */
static void
settle(struct lex_find *f)
{
	struct lex_found m = { f->best_term - 1, f->seen[f->best_from].start, f->seen[f->best_to].end };

	f->found(f->ctx, &m);
	f->next = f->best_to + 1;
	f->state = 0;
	f->best_term = 0;
}

/* Goes on with the words that are there. */
static void
go(struct lex_find *f)
{
	const struct lex *x = f->x;

	while (f->next < f->n) {
		uint32_t w = f->seen[f->next].word, s = f->state, to;

		while (!(to = lex_child(x, s, w)) && s)
			s = x->fail[s];
		f->next++;
		f->state = to;
		if (f->best_term && f->next - x->depth[to] > f->best_from) {
			settle(f);
			continue;
		}
		s = x->tail[to];
		if (s) {
			size_t from = f->next - x->depth[s];

			/* It ends later than the best one, so it wins unless it begins later. */
			if (!f->best_term || from <= f->best_from) {
				f->best_from = from;
				f->best_to = f->next - 1;
				f->best_term = x->term[s];
			}
		}
	}
}

static void
rest(struct lex_find *f)
{
	while (f->best_term) {
		settle(f);
		go(f);
	}
	f->n = f->next = 0;
	f->state = 0;
}

/* Words that nothing can want any more. The best one lies within the state's, or it
 * would be settled. */
static void
forget(struct lex_find *f)
{
	size_t keep = f->next - f->x->depth[f->state];

	memmove(f->seen, f->seen + keep, (f->n - keep) * sizeof *f->seen);
	f->n -= keep;
	f->next -= keep;
	f->best_from -= keep;
	f->best_to -= keep;
}

void
lex_find_word(struct lex_find *f, const struct lex_token *t, uint32_t word)
{
	if (f->n && (word == LEX_NONE || t->apart))
		rest(f);
	if (word == LEX_NONE || (!f->n && word >= f->x->h->roots))
		return;
	if (f->n && f->n == f->cap)
		forget(f);
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 256;
		f->seen = mem_array(f->seen, f->cap, sizeof *f->seen);
	}
	f->seen[f->n++] = (struct lex_seen){ t->start, t->end, word };
	go(f);
	if (!f->state && !f->best_term)
		f->n = f->next = 0;
}

void
lex_find_end(struct lex_find *f)
{
	rest(f);
}

void
lex_find_free(struct lex_find *f)
{
	free(f->seen);
	f->seen = NULL;
	f->n = f->cap = 0;
}
