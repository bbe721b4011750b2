#include "text/merge.h"

#include "text/markup.h"
#include "text/tidy.h"

static void
read_one(struct rec *r, const struct rec_member *m)
{
	if (!m || m->type != '{' || rec_parse(r, m->val, m->val_len) != REC_OK)
		r->n = 0;
}

void
merge_read(struct merge *m, const struct rec *job)
{
	read_one(&m->work, rec_get(job, "work"));
	read_one(&m->doc, rec_get(job, "document"));
}

/* A member that says something. */
static const struct rec_member *
told(const struct rec *r, const char *name)
{
	const struct rec_member *m = rec_get(r, name);

	return m && m->type != 'n' && !rec_is(m, "") && !(m->type == '[' && m->val_len == 2) ? m : NULL;
}

static bool
line(struct buf *out, const struct rec_member *m, void (*plain)(struct buf *, const char *, size_t))
{
	static struct buf raw;
	size_t from = out->len;

	raw.len = 0;
	if (rec_str(m, &raw) == 0)
		plain(out, buf_str(&raw), raw.len);
	return out->len > from;
}

bool
merge_title(struct buf *out, const struct merge *m, const struct rec *job)
{
	return line(out, rec_get(job, "title"), tidy_line) || line(out, rec_get(&m->work, "title"), markup_line);
}

bool
merge_found(struct buf *out, const struct merge *m)
{
	return line(out, rec_get(&m->doc, "title"), tidy_line);
}

void
merge_members(struct buf *out, const struct merge *m, const struct rec *job)
{
	static const char *const names[] = { "doi", "authors", "year", "venue", "license", "is_oa", "oa_status" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct rec_member *v = told(&m->work, names[i]);

		if (!v && !i)           /* only that one is the request's, too */
			v = told(job, names[i]);
		if (!v)
			v = told(&m->doc, names[i]);
		if (!v)
			continue;
		buf_addf(out, ",\"%s\":", names[i]);
		buf_add(out, v->val, v->val_len);
	}
}
