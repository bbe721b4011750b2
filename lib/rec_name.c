#include "rec.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { FEW = 24 };      /* up to here duplicates are found pair by pair */

static size_t
unescaped(const struct rec_member *m, struct buf *b, const char **key)
{
	*key = m->key;
	if (!m->key_escaped)
		return m->key_len;
	b->len = 0;
	json_unescape(b, m->key, m->key_len);
	*key = b->p;
	return b->len;
}

static int
compare_keys(const struct rec_member *a, const struct rec_member *b)
{
	static struct buf ab, bb;
	const char *ak, *bk;
	size_t an, bn, n;
	int c;

	if (!a->key_escaped && !b->key_escaped && a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	an = unescaped(a, &ab, &ak);
	bn = unescaped(b, &bb, &bk);
	if (an != bn)
		return an < bn ? -1 : 1;
	n = an;
	c = n ? memcmp(ak, bk, n) : 0;
	return c;
}

/* Mostly the length or the first byte tells. */
static inline bool
same(const struct rec_member *a, const struct rec_member *b)
{
	if (!a->key_escaped && !b->key_escaped && (a->key_len != b->key_len || (a->key_len && a->key[0] != b->key[0])))
		return false;
	return compare_keys(a, b) == 0;
}

static int
compare_refs(const void *a, const void *b)
{
	return compare_keys(*(const struct rec_member *const *)a,
	    *(const struct rec_member *const *)b);
}

void
rec_names(struct rec_names *x, const struct rec *r)
{
	if (x->cap < r->n) {
		x->cap = r->n;
		x->m = mem_array(x->m, x->cap, sizeof(const struct rec_member *));
	}
	for (x->n = 0; x->n < r->n; x->n++)
		x->m[x->n] = &r->m[x->n];
	if (x->n)
		qsort(x->m, x->n, sizeof(const struct rec_member *), compare_refs);
}

bool
rec_names_have(const struct rec_names *x, const struct rec_member *m)
{
	return x->n && bsearch(&m, x->m, x->n, sizeof(const struct rec_member *), compare_refs);
}

void
rec_names_free(struct rec_names *x)
{
	free(x->m);
	*x = (struct rec_names)REC_NAMES_INIT;
}

bool
rec_named(const struct rec_member *m, const char *name)
{
	struct rec_member want = { .key = name };

	if (!m->key)
		return false;
	if (!m->key_escaped && m->key_len && m->key[0] != *name)
		return false;
	want.key_len = strlen(name);
	return same(m, &want);
}

bool
rec_among(const struct rec_member *m, const char *const *names)
{
	for (; *names; names++)
		if (rec_named(m, *names))
			return true;
	return false;
}

static const struct rec_member *
duplicate_among_many(const struct rec *r)
{
	struct rec_names x = REC_NAMES_INIT;
	const struct rec_member *found = NULL;

	rec_names(&x, r);
	for (size_t i = 1; i < x.n && !found; i++)
		if (compare_keys(x.m[i - 1], x.m[i]) == 0)
			found = x.m[i - 1] > x.m[i] ? x.m[i - 1] : x.m[i];
	rec_names_free(&x);
	return found;
}

const struct rec_member *
rec_duplicate(const struct rec *r)
{
	if (r->n > FEW)
		return duplicate_among_many(r);
	for (size_t i = 1; i < r->n; i++)
		for (size_t k = 0; k < i; k++)
			if (same(&r->m[k], &r->m[i]))
				return &r->m[i];
	return NULL;
}

const struct rec_member *
rec_find(const struct rec *r, const char *name, size_t len)
{
	struct rec_member want = { .key = name, .key_len = len };

	for (size_t i = 0; i < r->n; i++)
		if (r->m[i].key && same(&r->m[i], &want))
			return &r->m[i];
	return NULL;
}

bool
rec_is(const struct rec_member *m, const char *s)
{
	struct rec_member a, b = { .key = s, .key_len = strlen(s) };

	if (!m || m->type != '"')
		return false;
	a = (struct rec_member){ .key = m->val + 1, .key_len = m->val_len - 2 };
	a.key_escaped = memchr(a.key, '\\', a.key_len) != NULL;
	return compare_keys(&a, &b) == 0;
}
