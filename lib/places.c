#include "places.h"

#include <string.h>

bool
places_pdf(const struct buf *b)
{
	size_t len = b->len < PLACES_HEAD ? b->len : PLACES_HEAD, i = 0;
	const char *p;

	while (i < len && strchr("\t\n\f\r \xef\xbb\xbf", b->p[i]))
		i++;
	if (i == len || b->p[i] == '<' || !(p = memmem(b->p, len, "%PDF-", 5)))
		return false;
	p += 5;
	return p < b->p + len && *p >= '0' && *p <= '9';
}

static void
add_place(struct places *p, const struct rec_member *url, const struct rec_member *source, const char *name)
{
	struct place *x = &p->place[p->n];

	if (p->n == PLACES_MAX)
		return;
	x->url.len = x->source.len = 0;
	if (rec_str(url, &x->url) < 0 || memchr(x->url.p ? x->url.p : "", 0, x->url.len))
		return;
	if (rec_str(source, &x->source) < 0)
		buf_adds(&x->source, name);
	p->n++;
}

static void
add_unasked(struct buf *out, const struct rec_member *m)
{
	static struct rec asked = REC_INIT, one = REC_INIT;
	static struct buf why;

	if (!m || rec_parse(&asked, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < asked.n; i++) {
		const struct rec_member *a = &asked.m[i];

		why.len = 0;
		if (rec_parse(&one, a->val, a->val_len) != REC_OK || rec_str(rec_get(&one, "why"), &why) < 0 ||
		    rec_is(rec_get(&one, "why"), "enough"))
			continue;
		buf_addf(out, "%s%.*s (%.100s)", out->len ? ", " : "", (int)(a->key_len < 100 ? a->key_len : 100), a->key, buf_str(&why));
	}
}

void
places_of(struct places *p, const struct rec *r)
{
	static struct rec work = REC_INIT, list = REC_INIT, one = REC_INIT;
	const struct rec_member *m = rec_get(r, "url");

	p->n = p->unasked.len = 0;
	if (m)
		add_place(p, m, NULL, "request");
	m = rec_get(r, "work");
	if (!m || rec_parse(&work, m->val, m->val_len) != REC_OK)
		return;
	add_unasked(&p->unasked, rec_get(&work, "asked"));
	m = rec_get(&work, "pdfs");
	if (!m || rec_items(&list, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (rec_parse(&one, list.m[i].val, list.m[i].val_len) == REC_OK)
			add_place(p, rec_get(&one, "url"), rec_get(&one, "source"), "work");
}
