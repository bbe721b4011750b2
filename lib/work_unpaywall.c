#include <string.h>

#include "json.h"
#include "work_source.h"

#define SOURCE "unpaywall"

enum { LOCATIONS_MAX = 256 };

static void
location(struct work *w, const struct rec_member *m, bool best)
{
	static struct rec r;

	if (!work_object(&r, m))
		return;
	work_pdf(w, SOURCE, rec_get(&r, "url_for_pdf"), rec_get(&r, "version"), rec_get(&r, "license"),
	    rec_get(&r, "host_type"), best);
	work_string(w, WORK_LICENSE, SOURCE, rec_get(&r, "license"));
}

/* "given family", or the name as it was given. */
static void
authors(struct work *w, const struct rec_member *m)
{
	static struct rec items, a;
	static struct buf list, name;
	size_t n = 0;

	list.len = 0;
	buf_addc(&list, '[');
	if (m && m->type == '[' && rec_items(&items, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < items.n && n < WORK_AUTHORS_MAX; i++) {
			if (!work_object(&a, &items.m[i]))
				continue;
			name.len = 0;
			rec_str(rec_get(&a, "given"), &name);
			if (name.len)
				buf_addc(&name, ' ');
			if (rec_str(rec_get(&a, "family"), &name) < 0) {
				name.len = 0;
				rec_str(rec_get(&a, "raw_author_name"), &name);
			}
			if (!name.len || name.len > 1024)
				continue;
			if (n++)
				buf_addc(&list, ',');
			json_quote(&list, name.p, name.len);
		}
	buf_addc(&list, ']');
	work_authors(w, SOURCE, &list);
}

enum work_answer
work_unpaywall(struct work *w, const char *p, size_t len)
{
	static struct rec r, places;
	const struct rec_member *m;

	if (rec_parse(&r, p, len) != REC_OK || !(m = rec_get(&r, "doi")) || m->type != '"')
		return WORK_BAD;
	work_string(w, WORK_TITLE, SOURCE, rec_get(&r, "title"));
	authors(w, rec_get(&r, "z_authors"));
	work_year(w, SOURCE, rec_get(&r, "year"));
	work_string(w, WORK_VENUE, SOURCE, rec_get(&r, "journal_name"));
	work_string(w, WORK_TYPE, SOURCE, rec_get(&r, "genre"));
	work_open(w, SOURCE, rec_get(&r, "is_oa"));
	work_string(w, WORK_OA_STATUS, SOURCE, rec_get(&r, "oa_status"));
	location(w, rec_get(&r, "best_oa_location"), true);
	m = rec_get(&r, "oa_locations");
	if (m && m->type == '[' && rec_items(&places, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < places.n && i < LOCATIONS_MAX; i++)
			location(w, &places.m[i], false);
	return WORK_FOUND;
}
