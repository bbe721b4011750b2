#include "text/layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rec.h"

static const char *const kinds[] = { "text", "heading", "table", "list" };

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

const char *
layout_kind(uint32_t kind)
{
	return kinds[kind];
}

void
layout_add(struct layout *l, const struct layout_piece *p)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->p = mem_array(l->p, l->cap, sizeof(*l->p));
	}
	l->p[l->n++] = *p;
}

void
layout_json(struct buf *out, const struct layout *l)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < l->n; i++) {
		const struct layout_piece *p = &l->p[i];

		buf_addf(out, "%s{\"at\":%" PRIu32 ",\"len\":%" PRIu32, i ? "," : "", p->at, p->len);
		if (p->page)
			buf_addf(out, ",\"page\":%" PRIu32, p->page);
		buf_addf(out, ",\"kind\":\"%s\"", kinds[p->kind]);
		if (p->head)
			buf_addf(out, ",\"head\":%" PRIu32, p->head);
		if (p->path_len) {
			buf_adds(out, ",\"path\":");
			buf_add(out, l->paths.p + p->path, p->path_len);
		}
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* A number of a piece; what stands there when it has none. -1: it is no number
 * from 0 to most. */
static int
number(const struct rec *r, const char *name, uint32_t most, uint32_t *v)
{
	const struct rec_member *m = rec_get(r, name);
	uint64_t n;

	if (!m)
		return 0;
	if (rec_u64(m, &n) < 0 || n > most)
		return -1;
	*v = (uint32_t)n;
	return 0;
}

/* A path is an array of strings. Neighbours mostly have the same one. */
static int
path(struct layout *l, const struct rec_member *m, struct layout_piece *p)
{
	static struct rec items = REC_INIT;
	const struct layout_piece *last = l->n ? &l->p[l->n - 1] : NULL;

	if (!m)
		return 0;
	if (last && last->path_len == m->val_len && !memcmp(l->paths.p + last->path, m->val, m->val_len)) {
		p->path = last->path;
		p->path_len = last->path_len;
		return 0;
	}
	if (m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK || l->paths.len + m->val_len > UINT32_MAX)
		return -1;
	for (size_t i = 0; i < items.n; i++)
		if (items.m[i].type != '"')
			return -1;
	if (!items.n)
		return 0;
	p->path = (uint32_t)l->paths.len;
	p->path_len = (uint32_t)m->val_len;
	buf_add(&l->paths, m->val, m->val_len);
	return 0;
}

static int
piece(struct layout *l, const struct rec *r, size_t from, size_t text_len)
{
	struct layout_piece p = { .kind = KINDS };
	const struct rec_member *kind = rec_get(r, "kind");

	for (uint32_t k = 0; k < KINDS; k++)
		if (rec_is(kind, kinds[k]))
			p.kind = k;
	if (p.kind == KINDS || !rec_get(r, "at") || number(r, "at", UINT32_MAX, &p.at) < 0 ||
	    number(r, "len", UINT32_MAX, &p.len) < 0 || number(r, "page", INT32_MAX, &p.page) < 0 ||
	    number(r, "head", UINT32_MAX, &p.head) < 0)
		return -1;
	if (!p.len || p.at < from || p.at > text_len || p.len > text_len - p.at || p.head > p.len ||
	    path(l, rec_get(r, "path"), &p) < 0)
		return -1;
	layout_add(l, &p);
	return 0;
}

int
layout_parse(struct layout *l, const char *json, size_t len, size_t text_len)
{
	static struct rec items = REC_INIT, one = REC_INIT;
	size_t from = 0;

	l->n = l->paths.len = 0;
	if (rec_items(&items, json, len) != REC_OK)
		return -1;
	for (size_t i = 0; i < items.n; i++) {
		const struct rec_member *m = &items.m[i];

		if (m->type != '{' || rec_parse(&one, m->val, m->val_len) != REC_OK ||
		    piece(l, &one, from, text_len) < 0)
			return -1;
		from = (size_t)l->p[l->n - 1].at + l->p[l->n - 1].len;
	}
	return 0;
}

size_t
layout_find(const struct layout *l, size_t at)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((size_t)l->p[mid].at + l->p[mid].len > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

size_t
layout_longest(const struct layout *l)
{
	size_t most = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->p[i].path_len > most)
			most = l->p[i].path_len;
	return most;
}

void
layout_free(struct layout *l)
{
	free(l->p);
	buf_free(&l->paths);
	*l = (struct layout)LAYOUT_INIT;
}
