#include "places.h"

#include <string.h>

static struct place *
find(struct places *p, const char *url, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->place[i].url.len == len && memcmp(p->place[i].url.p, url, len) == 0)
			return &p->place[i];
	return NULL;
}

static void
empty(struct place *x)
{
	x->url.len = x->source.len = x->page.len = x->code.len = x->why.len = 0;
	x->path = x->tried = x->retry = false;
	x->after_ms = 0;
}

static void
add_place(struct places *p, const struct rec_member *url, const struct rec_member *source, const char *name)
{
	struct place *x = &p->place[p->n];

	if (p->n == PLACES_MAX)
		return;
	empty(x);
	if (rec_str(url, &x->url) < 0 || !x->url.len || memchr(buf_str(&x->url), 0, x->url.len) || find(p, x->url.p, x->url.len))
		return;
	if (rec_str(source, &x->source) < 0)
		buf_adds(&x->source, name);
	p->n++;
}

void
places_link(struct places *p, size_t i, const char *url)
{
	struct place spare, *x = &p->place[i + 1];

	if (p->n == PLACES_MAX || find(p, url, strlen(url)))
		return;
	spare = p->place[p->n];
	memmove(x + 1, x, (p->n - i - 1) * sizeof *x);
	*x = spare;
	p->n++;
	empty(x);
	buf_adds(&x->url, url);
	buf_str(&x->url);
	buf_add(&x->source, p->place[i].source.p, p->place[i].source.len);
	buf_add(&x->page, p->place[i].url.p, p->place[i].url.len);
}

static void
add_unasked(struct places *p, const struct rec_member *m)
{
	static struct rec asked = REC_INIT, one = REC_INIT;
	static struct buf why;
	struct buf *out = &p->unasked;
	bool again;

	if (!m || rec_parse(&asked, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < asked.n; i++) {
		const struct rec_member *a = &asked.m[i];

		why.len = 0;
		if (rec_parse(&one, a->val, a->val_len) != REC_OK || rec_str(rec_get(&one, "why"), &why) < 0 ||
		    rec_is(rec_get(&one, "why"), "enough"))
			continue;
		buf_addf(out, "%s%.*s (%.100s)", out->len ? ", " : "", (int)(a->key_len < 100 ? a->key_len : 100), a->key, buf_str(&why));
		if (rec_bool(rec_get(&one, "retry"), &again) == 0 && again)
			p->ask_again = true;
	}
}

static void
add_work(struct places *p, const struct rec_member *m)
{
	static struct rec work = REC_INIT, list = REC_INIT, one = REC_INIT;

	if (!m || rec_parse(&work, m->val, m->val_len) != REC_OK)
		return;
	add_unasked(p, rec_get(&work, "asked"));
	m = rec_get(&work, "pdfs");
	if (!m || rec_items(&list, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (rec_parse(&one, list.m[i].val, list.m[i].val_len) == REC_OK)
			add_place(p, rec_get(&one, "url"), rec_get(&one, "source"), "work");
}

/* What an earlier stage or attempt wrote of a place. */
static void
recall(struct places *p, const struct rec *one)
{
	static struct buf s;
	uint64_t attempt = 0;
	struct place *x;

	s.len = 0;
	if (rec_str(rec_get(one, "url"), &s) < 0 || !(x = find(p, buf_str(&s), s.len)) || x->tried)
		return;
	s.len = 0;
	rec_bool(rec_get(one, "retry"), &x->retry);
	if (!x->retry && !x->page.len && rec_str(rec_get(one, "link"), &s) == 0 && !memchr(buf_str(&s), 0, s.len))
		places_link(p, (size_t)(x - p->place), s.p);
	rec_u64(rec_get(one, "attempt"), &attempt);
	rec_u64(rec_get(one, "after_ms"), &x->after_ms);
	rec_str(rec_get(one, "code"), &x->code);
	rec_str(rec_get(one, "why"), &x->why);
	buf_str(&x->code);
	buf_str(&x->why);
	x->tried = !x->retry || attempt == p->attempt;
}

void
places_of(struct places *p, const struct rec *r)
{
	static struct rec list = REC_INIT, one = REC_INIT;
	const struct rec_member *m = rec_get(r, "path");

	p->n = p->unasked.len = 0;
	p->attempt = 0;
	p->ask_again = false;
	rec_u64(rec_get(r, "attempt"), &p->attempt);
	if (m)
		add_place(p, m, NULL, "request");
	if (p->n)
		p->place[0].path = true;
	if ((m = rec_get(r, "url")))
		add_place(p, m, NULL, "request");
	add_work(p, rec_get(r, "work"));
	m = rec_get(r, "pdf_tried");
	if (!m || rec_items(&list, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < list.n && i < PLACES_MAX; i++)
		if (rec_parse(&one, list.m[i].val, list.m[i].val_len) == REC_OK)
			recall(p, &one);
}
