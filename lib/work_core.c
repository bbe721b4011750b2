#include <string.h>

#include "doi.h"
#include "json.h"
#include "work_source.h"

#define SOURCE "core"

enum { RESULTS_MAX = 32, URLS_MAX = 64 };

static bool
same_doi(const struct work *w, const struct rec_member *m)
{
	static struct buf s, doi;

	s.len = doi.len = 0;
	return rec_str(m, &s) == 0 && doi_normal(&doi, buf_str(&s), s.len) == 0 &&
	    doi.len == w->doi.len && memcmp(doi.p, w->doi.p, doi.len) == 0;
}

/* A search finds what is alike: only the work of this DOI will do. */
static bool
is_the_one(const struct work *w, const struct rec *r)
{
	static struct rec items, id;
	const struct rec_member *m = rec_get(r, "identifiers");

	if (same_doi(w, rec_get(r, "doi")))
		return true;
	if (!m || m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK)
		return false;
	for (size_t i = 0; i < items.n && i < URLS_MAX; i++)
		if (work_object(&id, &items.m[i]) && rec_is(rec_get(&id, "type"), "DOI") &&
		    same_doi(w, rec_get(&id, "identifier")))
			return true;
	return false;
}

static void
urls(struct work *w, const struct rec_member *m)
{
	static struct rec items;

	if (m && m->type == '[' && rec_items(&items, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < items.n && i < URLS_MAX; i++)
			work_pdf(w, SOURCE, &items.m[i], NULL, NULL, NULL, false);
}

static void
links(struct work *w, const struct rec_member *m)
{
	static struct rec items, link;

	if (m && m->type == '[' && rec_items(&items, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < items.n && i < URLS_MAX; i++)
			if (work_object(&link, &items.m[i]) && rec_is(rec_get(&link, "type"), "download"))
				work_pdf(w, SOURCE, rec_get(&link, "url"), NULL, NULL, NULL, false);
}

static void
fill(struct work *w, const struct rec *r, struct buf *fulltext)
{
	static struct rec language;
	static struct buf names;

	work_id(w, SOURCE, rec_get(r, "id"));
	work_string(w, WORK_TITLE, SOURCE, rec_get(r, "title"));
	names.len = 0;
	work_names_of(&names, rec_get(r, "authors"), NULL, "name");
	work_authors(w, SOURCE, &names);
	work_year(w, SOURCE, rec_get(r, "yearPublished"));
	work_string(w, WORK_TYPE, SOURCE, rec_get(r, "documentType"));
	work_string(w, WORK_ABSTRACT, SOURCE, rec_get(r, "abstract"));
	if (work_object(&language, rec_get(r, "language")))
		work_string(w, WORK_LANGUAGE, SOURCE, rec_get(&language, "code"));
	work_pdf(w, SOURCE, rec_get(r, "downloadUrl"), NULL, NULL, NULL, true);
	urls(w, rec_get(r, "sourceFulltextUrls"));
	links(w, rec_get(r, "links"));
	if (fulltext)
		rec_str(rec_get(r, "fullText"), fulltext);
}

enum work_answer
work_core(struct work *w, const char *p, size_t len, struct buf *fulltext)
{
	static struct rec r, results, one;
	const struct rec_member *m;

	if (rec_parse(&r, p, len) != REC_OK || !(m = rec_get(&r, "results")) || m->type != '[' ||
	    rec_items(&results, m->val, m->val_len) != REC_OK)
		return WORK_BAD;
	for (size_t i = 0; i < results.n && i < RESULTS_MAX; i++)
		if (work_object(&one, &results.m[i]) && is_the_one(w, &one)) {
			fill(w, &one, fulltext);
			return WORK_FOUND;
		}
	return WORK_NONE;
}
