#include <stdlib.h>
#include <string.h>

#include "doi.h"
#include "json.h"
#include "work_source.h"

#define SOURCE "openalex"

enum { WORDS_MAX = 100000, LOCATIONS_MAX = 256 };

struct word {
	uint64_t at;
	size_t order;
	const struct rec_member *m;
};

bool
work_object(struct rec *r, const struct rec_member *m)
{
	return m && m->type == '{' && rec_parse(r, m->val, m->val_len) == REC_OK;
}

void
work_names_of(struct buf *out, const struct rec_member *m, const char *in, const char *name)
{
	static struct rec items, item, inner;
	static struct buf s;
	size_t n = 0;

	buf_addc(out, '[');
	if (m && m->type == '[' && rec_items(&items, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < items.n && n < WORK_AUTHORS_MAX; i++) {
			const struct rec *r = &item;

			s.len = 0;
			if (!work_object(&item, &items.m[i]))
				continue;
			if (in && work_object(&inner, rec_get(&item, in)))
				r = &inner;
			if (rec_str(rec_get(r, name), &s) < 0 || !s.len || s.len > 1024)
				continue;
			if (n++)
				buf_addc(out, ',');
			json_quote(out, s.p, s.len);
		}
	buf_addc(out, ']');
}

static int
by_place(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void
work_abstract(struct buf *out, const struct rec_member *m)
{
	static struct word words[WORDS_MAX];
	static struct rec index, places;
	size_t n = 0, from = out->len;

	if (!work_object(&index, m))
		return;
	for (size_t i = 0; i < index.n; i++) {
		const struct rec_member *word = &index.m[i];

		if (word->type != '[' || rec_items(&places, word->val, word->val_len) != REC_OK)
			continue;
		for (size_t k = 0; k < places.n && n < WORDS_MAX; k++)
			if (rec_u64(&places.m[k], &words[n].at) == 0) {
				words[n].order = n;
				words[n++].m = word;
			}
	}
	qsort(words, n, sizeof *words, by_place);
	for (size_t i = 0; i < n && out->len - from < WORK_TEXT_MAX; i++) {
		if (i)
			buf_addc(out, ' ');
		json_unescape(out, words[i].m->key, words[i].m->key_len);
	}
}

/* A location's PDF, and the work's licence and venue where it is the first that has them. */
static void
location(struct work *w, const struct rec_member *m, bool best)
{
	static struct rec r, source;
	static struct buf type;
	struct rec_member host = { .type = '"' };
	const char *kind = NULL;
	bool known;

	if (!work_object(&r, m))
		return;
	known = work_object(&source, rec_get(&r, "source"));
	type.len = 0;
	if (known && rec_str(rec_get(&source, "type"), &type) == 0)
		kind = strcmp(buf_str(&type), "repository") == 0 ? "\"repository\"" :
		    strcmp(type.p, "journal") == 0 ? "\"publisher\"" : NULL;
	if (kind) {
		host.val = kind;
		host.val_len = strlen(kind);
	}
	work_pdf(w, SOURCE, rec_get(&r, "pdf_url"), rec_get(&r, "version"), rec_get(&r, "license"),
	    kind ? &host : NULL, best);
	work_string(w, WORK_LICENSE, SOURCE, rec_get(&r, "license"));
}

static void
venue(struct work *w, const struct rec_member *m)
{
	static struct rec r, source;

	if (work_object(&r, m) && work_object(&source, rec_get(&r, "source")))
		work_string(w, WORK_VENUE, SOURCE, rec_get(&source, "display_name"));
}

static void
ids(struct work *w, const struct rec_member *m)
{
	static const char *const known[] = { "pmid", "pmcid", "mag" };
	static struct rec r;

	if (work_object(&r, m))
		for (int i = 0; i < 3; i++)
			work_id(w, known[i], rec_get(&r, known[i]));
}

enum work_answer
work_openalex(struct work *w, const char *p, size_t len)
{
	static struct rec r, open, places;
	static struct buf text;
	const struct rec_member *m;

	if (rec_parse(&r, p, len) != REC_OK || !(m = rec_get(&r, "id")) || m->type != '"')
		return WORK_BAD;
	work_id(w, SOURCE, m);
	ids(w, rec_get(&r, "ids"));
	work_string(w, WORK_TITLE, SOURCE, rec_get(&r, "title"));
	work_string(w, WORK_TITLE, SOURCE, rec_get(&r, "display_name"));
	work_year(w, SOURCE, rec_get(&r, "publication_year"));
	work_string(w, WORK_LANGUAGE, SOURCE, rec_get(&r, "language"));
	work_string(w, WORK_TYPE, SOURCE, rec_get(&r, "type"));
	text.len = 0;
	work_names_of(&text, rec_get(&r, "authorships"), "author", "display_name");
	work_authors(w, SOURCE, &text);
	text.len = 0;
	work_abstract(&text, rec_get(&r, "abstract_inverted_index"));
	work_text(w, WORK_ABSTRACT, SOURCE, buf_str(&text), text.len);
	if (work_object(&open, rec_get(&r, "open_access"))) {
		work_open(w, SOURCE, rec_get(&open, "is_oa"));
		work_string(w, WORK_OA_STATUS, SOURCE, rec_get(&open, "oa_status"));
	}
	venue(w, rec_get(&r, "primary_location"));
	location(w, rec_get(&r, "best_oa_location"), true);
	location(w, rec_get(&r, "primary_location"), false);
	m = rec_get(&r, "locations");
	if (m && m->type == '[' && rec_items(&places, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < places.n && i < LOCATIONS_MAX; i++)
			location(w, &places.m[i], false);
	return WORK_FOUND;
}
