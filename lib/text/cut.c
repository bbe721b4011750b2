#include "text/cut.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "text/sentence.h"

struct cut {
	const struct vocab *v;
	const char *text;
	unsigned limit, overlap;
	size_t bytes;           /* most of one chunk */
	struct plan_marks marks;
	struct plan *out;
};

/* Where sections begin and headings end. */
static void
mark(struct plan_marks *m, const struct layout *l)
{
	static uint32_t *section, *behind;
	static size_t cap;

	if (cap < l->n) {
		cap = l->n;
		section = mem_array(section, cap, sizeof(*section));
		behind = mem_array(behind, cap, sizeof(*behind));
	}
	*m = (struct plan_marks){ .section = section, .behind = behind };
	for (size_t i = 0; i < l->n; i++) {
		const struct layout_piece *p = &l->p[i];

		if (p->kind != LAYOUT_HEADING)
			continue;
		behind[m->behind_n++] = p->at + p->len;
		if (p->path_len)
			section[m->section_n++] = p->at;
	}
}

/* Without the marks before from: each is looked at by one part only. */
static void
leave(struct plan_marks *m, size_t from)
{
	for (; m->section_n && *m->section < from; m->section_n--)
		m->section++;
	for (; m->behind_n && *m->behind < from; m->behind_n--)
		m->behind++;
}

static size_t
tokens(const struct cut *c, size_t from, size_t to)
{
	static struct wp_tokens t = WP_TOKENS_INIT;

	t.n = 0;
	wordpiece(c->v, c->text + from, to - from, 0, &t);
	return t.n;
}

/* Adds the chunk [from, to) of n tokens, without the white space at its edges; behind
 * the header where it has one. */
static void
tell(struct cut *c, size_t from, size_t to, size_t n, size_t head, size_t head_end)
{
	struct plan_chunk k = { .tokens = (uint32_t)n, .head = (uint32_t)head, .head_end = (uint32_t)head_end };
	size_t space;

	while (!head_end && from < to && (space = sentence_space(c->text + from, c->text + to)))
		from += space;
	k.start = (uint32_t)from;
	k.end = (uint32_t)(from + sentence_trim(c->text + from, to - from));
	if (k.end > k.start && n)
		plan_add(c->out, &k);
}

/* A table over the limit. from: where the rows of the chunk that is being filled begin. */
static int
rows(struct cut *c, size_t at, size_t end, size_t head)
{
	size_t h = head ? tokens(c, at, at + head) : 0, from = at, n = h, row, to;
	size_t head_end = h && h * 2 <= c->limit && head * 2 <= c->bytes ? at + head : 0;

	if (!head_end) {
		h = n = 0;
		head = 0;
	}
	for (row = at + head; row < end; row = to) {
		const char *lf = memchr(c->text + row, '\n', end - row);
		size_t k;

		to = lf ? (size_t)(lf - c->text) + 1 : end;
		k = tokens(c, row, to);
		if (n + k > c->limit || to - from + head > c->bytes) {
			bool again = head_end && from > at;

			tell(c, from, row, n, again ? at : 0, again ? head_end : 0);
			from = row;
			n = h;
		}
		if (n + k <= c->limit && to - from + head <= c->bytes) {
			n += k;
			continue;
		}
		/* A row that is too long by itself is cut like any text. */
		if (plan_part(c->v, c->text, row, to, c->limit, c->overlap, NULL, c->out) < 0)
			return -1;
		from = to;
		n = h;
	}
	if (from < end)
		tell(c, from, end, n, head_end && from > at ? at : 0, head_end && from > at ? head_end : 0);
	return 0;
}

static int
table(struct cut *c, const struct layout_piece *p)
{
	size_t n = tokens(c, p->at, (size_t)p->at + p->len);

	if (n > c->limit || p->len > c->bytes)
		return rows(c, p->at, (size_t)p->at + p->len, p->head);
	tell(c, p->at, (size_t)p->at + p->len, n, 0, 0);
	return 0;
}

int
cut_text(const struct vocab *v, const char *text, size_t len, const struct layout *l, unsigned limit,
    unsigned overlap, struct plan *out)
{
	struct cut c = { .v = v, .text = text, .limit = limit, .overlap = overlap, .out = out,
	    .bytes = (size_t)limit * PLAN_BYTES };
	size_t from = 0;

	out->n = 0;
	if (len >= UINT32_MAX) {
		errno = EFBIG;
		return -1;
	}
	mark(&c.marks, l);
	for (size_t i = 0; i < l->n; i++) {
		if (l->p[i].kind != LAYOUT_TABLE)
			continue;
		if (plan_part(v, text, from, l->p[i].at, limit, overlap, &c.marks, out) < 0 || table(&c, &l->p[i]) < 0)
			return -1;
		from = (size_t)l->p[i].at + l->p[i].len;
		leave(&c.marks, from);
	}
	return plan_part(v, text, from, len, limit, overlap, &c.marks, out);
}
