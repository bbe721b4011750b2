#include "rec.h"

#include "err.h"
#include "json.h"

/* The bytes of member i and of the comma that goes with it. */
static void
cut(const struct rec *r, size_t i, const char **from, const char **to)
{
	const struct rec_member *m = &r->m[i];

	*from = m->key - 1;
	*to = m->val + m->val_len;
	if (i > 0) {                    /* the comma before it, from the end of its neighbour */
		const char *p = *from - 1;

		while (*p != ',')
			p--;
		*from = p;
	} else if (r->n > 1) {          /* the first: up to the next member */
		*to = r->m[1].key - 1;
	}
}

/* Which member each change is about, NULL for a new one. */
static void
find_targets(const struct rec *r, const struct rec_change *c, size_t n,
    const struct rec_member **target)
{
	if (n > REC_CHANGES)
		die(XBUG, "%zu changes to a record", n);
	for (size_t k = 0; k < n; k++)
		target[k] = rec_get(r, c[k].name);
}

static void
append_new(struct buf *out, const struct rec_change *c, size_t n,
    const struct rec_member *const *target, bool first)
{
	for (size_t k = 0; k < n; k++) {
		if (!c[k].val || target[k])
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		json_quotes(out, c[k].name);
		buf_addc(out, ':');
		buf_add(out, c[k].val, c[k].len);
	}
}

void
rec_edit(struct buf *out, const struct rec *r, const struct rec_change *c, size_t n)
{
	const char *at = r->p, *end = r->p + r->len, *close = end;
	const struct rec_member *target[REC_CHANGES];
	size_t left = 0;

	find_targets(r, c, n, target);
	while (*--close != '}')
		;
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_member *m = &r->m[i];
		const char *from = m->val, *to = m->val + m->val_len;
		size_t k = 0;

		while (k < n && target[k] != m)
			k++;
		if (k == n || c[k].val)
			left++;
		if (k == n)
			continue;
		if (!c[k].val) {
			cut(r, i, &from, &to);
			if (from < at)
				from = at;
			if (left == 0 && i > 0 && i + 1 < r->n)
				to = r->m[i + 1].key - 1;       /* all before it went too */
		}
		buf_add(out, at, (size_t)(from - at));
		if (c[k].val)
			buf_add(out, c[k].val, c[k].len);
		at = to;
	}
	buf_add(out, at, (size_t)(close - at));
	append_new(out, c, n, target, left == 0);
	buf_add(out, close, (size_t)(end - close));
}
