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
	size_t at;              /* where text begins in the whole */
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

/* The best end in (done, most] of a chunk that begins at unit i: where the first section
 * begins, else the last paragraph or sentence; 0: none does. */
static size_t
best_end(const struct pack *p, size_t i, size_t done, size_t most)
{
	const struct unit *u = p->us->u;
	size_t section = 0, sentence = 0, para = 0, tokens = 0;

	for (size_t j = i; j <= most && j < p->us->n; j++) {
		if (j > done && j > i && u[j].flags & UNIT_SENTENCE) {
			sentence = j;
			if (u[j].flags & UNIT_PARAGRAPH && tokens * 2 >= p->limit)
				para = j;
		}
		if (!section && j > done && j > i && u[j].flags & UNIT_SECTION && tokens * 4 >= p->limit)
			section = j;
		tokens += u[j].tokens;
	}
	if (section)
		return section;
	return most == p->us->n ? most : para ? para : sentence;
}

/* Where the chunk after [i, end) begins: behind i, so that none holds another
 * whole; at a sentence, else behind white space, else at any unit. */
static size_t
back(const struct pack *p, size_t i, size_t end)
{
	const struct unit *u = p->us->u;
	size_t tokens = 0, j = end, sentence = end, word = end;

	if (end < p->us->n && u[end].flags & UNIT_SECTION)
		return end;             /* a section repeats nothing of the one before */
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
	c->head = c->head_end = 0;
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

void
plan_add(struct plan *out, const struct plan_chunk *c)
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
		c.start += (uint32_t)p->at;
		c.end += (uint32_t)p->at;
		plan_add(out, &c);
		i = end > done ? back(p, i, end) : done;
		done = end;
	}
}

/* Sets the flags that the layout asks for. */
static void
mark(struct units *us, const struct plan_marks *m, size_t at)
{
	size_t s = 0, b = 0;

	for (size_t k = 0; k < us->n; k++) {
		size_t start = us->u[k].start + at;

		for (; b < m->behind_n && m->behind[b] <= start; b++)
			us->u[k].flags &= (uint16_t)~(UNIT_SENTENCE | UNIT_PARAGRAPH);
		for (; s < m->section_n && m->section[s] <= start; s++)
			us->u[k].flags |= UNIT_SECTION | UNIT_SENTENCE | UNIT_PARAGRAPH;
	}
}

int
plan_part(const struct vocab *v, const char *text, size_t from, size_t to, unsigned limit, unsigned overlap,
    const struct plan_marks *marks, struct plan *out)
{
	static struct units us = UNITS_INIT;
	static struct pack p;

	if (to >= UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	p.v = v;
	p.text = text + from;
	p.at = from;
	p.len = to - from;
	p.bytes = (size_t)limit * PLAN_BYTES;
	p.limit = limit;
	p.overlap = overlap;
	p.us = &us;
	units_fill(&us, v, p.text, p.len, limit, p.bytes);
	if (marks)
		mark(&us, marks, from);
	/* What the tokenizer drops before the first word is the first chunk's. */
	if (us.n) {
		size_t at = 0, n;

		while (at < us.u[0].start && (n = sentence_space(p.text + at, p.text + p.len)))
			at += n;
		if (us.u[0].start - at <= p.bytes)
			us.u[0].start = (uint32_t)at;
	}
	pack(&p, out);
	return 0;
}

int
plan_text(const struct vocab *v, const char *text, size_t len, unsigned limit, unsigned overlap,
    struct plan *out)
{
	out->n = 0;
	return plan_part(v, text, 0, len, limit, overlap, NULL, out);
}

void
plan_free(struct plan *out)
{
	free(out->c);
	*out = (struct plan)PLAN_INIT;
}
