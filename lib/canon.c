#include "canon.h"

#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "json.h"

struct key {
	size_t at, len;         /* the unescaped name, in names */
	const struct rec_member *m;
};

static struct buf names;
/* What qsort's comparison needs; one thread. */
static const char *base;

static int
compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int d = len ? memcmp(base + x->at, base + y->at, len) : 0;

	return d ? d : (x->len > y->len) - (x->len < y->len);
}

static void value(struct buf *out, const struct rec_member *m, int depth);

static void
string(struct buf *out, const char *raw, size_t len)
{
	static struct buf plain;

	if (!memchr(raw, '\\', len)) {  /* checked text without escapes is canonical */
		buf_addc(out, '"');
		buf_add(out, raw, len);
		buf_addc(out, '"');
		return;
	}
	plain.len = 0;
	json_unescape(&plain, raw, len);
	json_quote(out, plain.p, plain.len);
}

static void
members(struct buf *out, const struct rec *r, const char *const *skip, int depth)
{
	struct key *keys = mem_array(NULL, r->n + 1, sizeof(*keys));
	size_t n = 0;
	char sep = '{';

	names.len = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct key k = { .at = names.len, .m = &r->m[i] };
		const char *const *s = skip;

		json_unescape(&names, r->m[i].key, r->m[i].key_len);
		k.len = names.len - k.at;
		while (s && *s && (strlen(*s) != k.len || memcmp(*s, names.p + k.at, k.len)))
			s++;
		if (!s || !*s)
			keys[n++] = k;
	}
	base = names.p;
	qsort(keys, n, sizeof(*keys), compare);
	if (!n)
		buf_addc(out, '{');
	for (size_t i = 0; i < n; i++, sep = ',') {
		buf_addc(out, sep);
		string(out, keys[i].m->key, keys[i].m->key_len);
		buf_addc(out, ':');
		value(out, keys[i].m, depth);
	}
	buf_addc(out, '}');
	free(keys);
}

static void
value(struct buf *out, const struct rec_member *m, int depth)
{
	/* One per depth, kept: a record's bytes are parsed again level by level. */
	static struct rec level[REC_DEPTH + 1];
	struct rec *r = &level[depth];

	if (m->type == '"')
		string(out, m->val + 1, m->val_len - 2);
	else if (m->type == '{' && depth < REC_DEPTH && rec_parse(r, m->val, m->val_len) == REC_OK)
		members(out, r, NULL, depth + 1);
	else if (m->type == '[' && depth < REC_DEPTH && rec_items(r, m->val, m->val_len) == REC_OK) {
		buf_addc(out, '[');
		for (size_t i = 0; i < r->n; i++) {
			if (i)
				buf_addc(out, ',');
			value(out, &r->m[i], depth + 1);
		}
		buf_addc(out, ']');
	} else  /* a number, a word, or what the edge would have refused: as it is */
		buf_add(out, m->val, m->val_len);
}

void
canon_text(struct buf *out, const struct rec *r, const char *const *skip)
{
	members(out, r, skip, 0);
}

void
canon_digest(const struct rec *r, const char *const *skip, unsigned char digest[32])
{
	static struct buf text;

	text.len = 0;
	canon_text(&text, r, skip);
	sha256_raw(text.p, text.len, digest);
}
