#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mem.h"
#include "text/plan.h"
#include "text/sentence.h"
#include "text/units.h"

struct pack {
	const struct vocab *v;
	const char *text;
	size_t len, bytes;      /* bytes: most of one chunk */
	unsigned limit, overlap;
	struct units *us;
	struct wp_tokens work;
};

/* The first unit that no longer fits into a chunk that begins at unit i. */
static size_t
fits(const struct pack *p, size_t i)
{
	const struct unit *u = p->us->u;
	size_t j = i, tokens = 0;

	while (j < p->us->n && tokens + u[j].tokens <= p->limit && u[j].end - u[i].start <= p->bytes)
		tokens += u[j++].tokens;
	return j > i ? j : i + 1;
}

/* The best end in (done, most] of a chunk that begins at unit i; 0: no
 * sentence ends there. */
static size_t
best_end(const struct pack *p, size_t i, size_t done, size_t most)
{
	const struct unit *u = p->us->u;
	size_t sentence = 0, para = 0, tokens = 0;

	if (most == p->us->n)
		return most;
	for (size_t j = i; j <= most; j++) {
		if (j > done && j > i && u[j].flags & UNIT_SENTENCE) {
			sentence = j;
			if (u[j].flags & UNIT_PARAGRAPH && tokens * 2 >= p->limit)
				para = j;
		}
		tokens += u[j].tokens;
	}
	return para ? para : sentence;
}

/* Where the chunk after [i, end) begins: behind i, so that none holds another
 * whole; at a sentence, else behind white space, else at any unit. */
static size_t
back(const struct pack *p, size_t i, size_t end)
{
	const struct unit *u = p->us->u;
	size_t tokens = 0, j = end, sentence = end, word = end;

	while (j > i + 1 && tokens + u[j - 1].tokens <= p->overlap) {
		tokens += u[--j].tokens;
		if (u[j].flags & UNIT_SENTENCE)
			sentence = j;
		if (sentence_trim(p->text + u[j].start - 1, 1) == 0)
			word = j;
	}
	return sentence < end ? sentence : word < end ? word : j;
}

/* Where the text of a chunk ends whose last unit is end - 1: with what the
 * tokenizer dropped behind it, without white space. */
static uint32_t
text_end(const struct pack *p, size_t end)
{
	const struct unit *u = p->us->u;
	size_t from = u[end - 1].end, to = end < p->us->n ? u[end].start : p->len;

	if (to - from > p->bytes)
		to = units_border(p->text, from + p->bytes);
	return (uint32_t)(from + sentence_trim(p->text + from, to - from));
}

static uint32_t
count(struct pack *p, uint32_t start, uint32_t end)
{
	p->work.n = 0;
	wordpiece(p->v, p->text + start, end - start, 0, &p->work);
	return (uint32_t)p->work.n;
}

/* The tokens of the chunk of units [i, end): the sum, unless one is rough. */
static uint32_t
tokens(struct pack *p, size_t i, size_t end, const struct plan_chunk *c)
{
	uint32_t sum = 0;

	for (size_t j = i; j < end; j++) {
		if (p->us->u[j].flags & UNIT_ROUGH)
			return count(p, c->start, c->end);
		sum += p->us->u[j].tokens;
	}
	return sum;
}

/* Settles the chunk of units [i, end), the first done of them told before.
 * Counts it as the model will; a large word that was cut may count more than its
 * estimate, then the chunk gives up units at its end. Returns its end. */
static size_t
settle(struct pack *p, size_t i, size_t done, size_t end, struct plan_chunk *c)
{
	struct unit *u = p->us->u;
	size_t least = (done > i ? done : i) + 1, over;

	c->start = u[i].start;
	for (;;) {
		c->end = text_end(p, end);
		c->tokens = tokens(p, i, end, c);
		if (c->tokens <= p->limit)
			return end;
		over = c->tokens - p->limit;
		if (end <= least)
			break;
		end = end - least > over ? end - over : least;
	}
	if (end - i > 1)        /* without its overlap, then */
		return settle(p, end - 1, end - 1, end, c);
	while (c->tokens > p->limit && c->end - c->start > 4) {
		c->end = (uint32_t)units_border(p->text, c->start + (c->end - c->start) / 2);
		c->tokens = count(p, c->start, c->end);
	}
	u[i].start = c->end;    /* the rest of it is the next chunk's */
	return end - 1;
}

static void
keep(struct plan *out, const struct plan_chunk *c)
{
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 64;
		out->c = mem_array(out->c, out->cap, sizeof *out->c);
	}
	out->c[out->n++] = *c;
}

static void
pack(struct pack *p, struct plan *out)
{
	size_t i = 0, done = 0;         /* done: the units told so far */

	while (done < p->us->n) {
		size_t most = fits(p, i), end = 0;
		struct plan_chunk c;

		if (most > done)
			end = best_end(p, i, done, most);
		/* The overlap yields to a whole sentence. */
		if (!end && i < done) {
			size_t alone = fits(p, done), e = best_end(p, done, done, alone);

			if (e || most <= done) {
				i = done;
				most = alone;
				end = e;
			}
		}
		end = settle(p, i, done, end ? end : most, &c);
		keep(out, &c);
		i = end > done ? back(p, i, end) : done;
		done = end;
	}
}

int
plan_text(const struct vocab *v, const char *text, size_t len, unsigned limit, unsigned overlap,
    struct plan *out)
{
	static struct units us = UNITS_INIT;
	static struct pack p;

	out->n = 0;
	if (len >= UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	p.v = v;
	p.text = text;
	p.len = len;
	p.bytes = (size_t)limit * PLAN_BYTES;
	p.limit = limit;
	p.overlap = overlap;
	p.us = &us;
	units_fill(&us, v, text, len, limit, p.bytes);
	/* What the tokenizer drops before the first word is the first chunk's. */
	if (us.n) {
		size_t from = 0, n;

		while (from < us.u[0].start && (n = sentence_space(text + from, text + len)))
			from += n;
		if (us.u[0].start - from <= p.bytes)
			us.u[0].start = (uint32_t)from;
	}
	pack(&p, out);
	return 0;
}

void
plan_free(struct plan *out)
{
	free(out->c);
	*out = (struct plan)PLAN_INIT;
}
