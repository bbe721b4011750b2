#include "fetch_int.h"

#include <string.h>
#include <time.h>

#include "fetch_shelf.h"

/* The name that the request's answer has in the cache, or "" where it has none. */
static void
name_it(struct fetch *f, struct fetch_job *j)
{
	bool trusted = strcmp(j->host->origin, j->origin) == 0;
	const char *who = j->q.secret && j->q.keep_for ? j->q.keep_for : j->q.secret;

	j->name[0] = 0;
	if (f->cache.dir >= 0 && j->q.keep && !j->q.body && !j->q.n_parts && !j->q.sink && !j->q.method)
		fetch_cache_name(j->name, buf_str(&j->url), trusted ? who : NULL, trusted ? j->q.secret_query : NULL,
		    j->q.header);
}

static void
take(struct fetch_job *j)
{
	memcpy(j->r.type, j->kept.type, sizeof j->r.type);
	j->r.status = 200;
	j->r.code = NULL;
}

bool
fetch_recall(struct fetch *f, struct fetch_job *j)
{
	int got;

	name_it(f, j);
	j->recalled = false;
	j->condition[0].len = j->condition[1].len = 0;
	if (!j->name[0])
		return false;
	if ((got = fetch_cache_get(&f->cache, j->name, &j->kept, j->q.max, &j->r.body)) < 0)
		f->totals.cache_faults++;
	if (got <= 0)
		return false;
	if (j->kept.until > time(NULL)) {
		take(j);
		f->totals.fresh++;
		return j->recalled = true;
	}
	if (j->kept.etag[0])
		buf_addf(&j->condition[0], "If-None-Match: %s", j->kept.etag);
	if (j->kept.modified[0])
		buf_addf(&j->condition[1], "If-Modified-Since: %s", j->kept.modified);
	return false;
}

bool
fetch_unchanged(struct fetch *f, struct fetch_job *j)
{
	int got;

	if (j->r.status != 304 || (!j->condition[0].len && !j->condition[1].len))
		return true;
	if ((got = fetch_cache_get(&f->cache, j->name, &j->kept, j->q.max, &j->r.body)) < 0)
		f->totals.cache_faults++;
	if (got <= 0)
		return false;
	take(j);
	f->totals.unchanged++;
	j->recalled = true;
	if (fetch_cache_again(&f->cache, j->name, &j->kept, &j->t, &j->r.body, time(NULL)) < 0)
		f->totals.cache_faults++;
	return true;
}

void
fetch_keep(struct fetch *f, struct fetch_job *j)
{
	int did = 0;

	if (!j->name[0] || (!j->r.forget && (j->r.code || j->recalled)))
		return;
	if (j->r.forget)
		did = shelf_drop(f->cache.dir, j->name);
	else if ((did = fetch_cache_put(&f->cache, j->name, &j->t, time(NULL))) > 0)
		f->totals.kept++;
	if (did < 0)
		f->totals.cache_faults++;
}
