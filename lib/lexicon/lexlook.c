#include "lexicon/lexlook.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "lexicon/lexwords.h"
#include "rec.h"

enum { IDS = 64, ID_MAX = 64, HITS = 256 };

static bool
object(struct rec *r, const struct rec_member *m)
{
	return m && m->type == '{' && rec_parse(r, m->val, m->val_len) == REC_OK;
}

static bool
array(struct rec *r, const struct rec_member *m)
{
	return m && m->type == '[' && rec_items(r, m->val, m->val_len) == REC_OK;
}

/* One more id, once. */
static void
add(struct buf *out, size_t from, const struct rec_member *m)
{
	static struct buf id, json;

	id.len = json.len = 0;
	if (rec_str(m, &id) < 0 || !id.len || id.len > ID_MAX || memchr(id.p, '\x1f', id.len))
		return;
	json_quote(&json, id.p, id.len);
	if (out->len > from && memmem(out->p + from, out->len - from, json.p, json.len))
		return;
	if (out->len > from)
		buf_addc(out, ',');
	buf_add(out, json.p, json.len);
}

enum lex_look
lex_look_rxnorm(struct buf *out, const char *p, size_t len, const char *name, size_t name_len)
{
	static struct rec r, group, ids;
	size_t from = out->len;

	(void)name;
	(void)name_len;
	if (rec_parse(&r, p, len) != REC_OK || !object(&group, rec_get(&r, "idGroup")))
		return LEX_LOOK_BAD;
	if (array(&ids, rec_get(&group, "rxnormId")))
		for (size_t i = 0; i < ids.n && i < IDS; i++)
			add(out, from, &ids.m[i]);
	return out->len > from ? LEX_LOOK_FOUND : LEX_LOOK_NONE;
}

/* A title without the tags around what was searched for. */
static bool
same(const struct rec_member *m, const char *name, size_t name_len)
{
	static struct buf title;
	struct lex_words a, b;
	struct lex_token x, y;
	char *p, *end, *to;
	bool more, inside = false;

	title.len = 0;
	if (rec_str(m, &title) < 0)
		return false;
	for (p = to = title.p, end = p + title.len; p < end; p++) {
		if (*p == '<')
			inside = true;
		else if (*p == '>' && inside)
			inside = false;
		else if (!inside)
			*to++ = *p;
	}
	lex_words_of(&a, title.len ? title.p : "", (size_t)(to - title.p));
	lex_words_of(&b, name, name_len);
	while ((more = lex_next(&a, &x)) && lex_next(&b, &y))
		if (!x.n || x.n != y.n || memcmp(x.w, y.w, x.n) != 0)
			return false;
	return !more && !lex_next(&b, &y);
}

static bool
named(const struct rec *hit, const char *name, size_t name_len)
{
	static struct rec labels, label;

	if (same(rec_get(hit, "title"), name, name_len))
		return true;
	if (array(&labels, rec_get(hit, "matchingPVs")))
		for (size_t i = 0; i < labels.n && i < IDS; i++)
			if (object(&label, &labels.m[i]) && same(rec_get(&label, "label"), name, name_len))
				return true;
	return false;
}

enum lex_look
lex_look_icd11(struct buf *out, const char *p, size_t len, const char *name, size_t name_len)
{
	static struct rec r, hits, hit;
	size_t from = out->len;

	if (rec_parse(&r, p, len) != REC_OK || !array(&hits, rec_get(&r, "destinationEntities")))
		return LEX_LOOK_BAD;
	for (size_t i = 0; i < hits.n && i < HITS; i++)
		if (object(&hit, &hits.m[i]) && named(&hit, name, name_len))
			add(out, from, rec_get(&hit, "theCode"));
	return out->len > from ? LEX_LOOK_FOUND : LEX_LOOK_NONE;
}
