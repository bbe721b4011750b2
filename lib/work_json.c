#include <string.h>

#include "json.h"
#include "work.h"

enum { MEMBERS_MAX = 64 };

static void
add_member(struct buf *b, const char *name)
{
	buf_addc(b, ',');
	json_quotes(b, name);
	buf_addc(b, ':');
}

/* The members of an object, each with a comma before it. */
static void
members_of(struct buf *out, const struct rec_member *m)
{
	static struct rec r;

	if (!m || m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < r.n && i < MEMBERS_MAX; i++) {
		buf_adds(out, ",\"");
		buf_add(out, r.m[i].key, r.m[i].key_len);
		buf_adds(out, "\":");
		buf_add(out, r.m[i].val, r.m[i].val_len);
	}
}

static int
read_pdfs(struct work *w, const struct rec_member *m)
{
	static struct rec items, item;
	static struct buf source;

	if (!m || m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK)
		return -1;
	for (size_t i = 0; i < items.n; i++) {
		bool best = false;

		source.len = 0;
		if (items.m[i].type != '{' || rec_parse(&item, items.m[i].val, items.m[i].val_len) != REC_OK ||
		    rec_str(rec_get(&item, "source"), &source) < 0)
			return -1;
		rec_bool(rec_get(&item, "best"), &best);
		work_pdf(w, buf_str(&source), rec_get(&item, "url"), rec_get(&item, "version"), rec_get(&item, "license"),
		    rec_get(&item, "host_type"), best);
	}
	return 0;
}

int
work_read(struct work *w, const struct rec_member *m)
{
	static struct rec r, from;
	const struct rec_member *v, *f;

	work_reset(w);
	if (!m || m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK || rec_str(rec_get(&r, "doi"), &w->doi) < 0)
		return -1;
	f = rec_get(&r, "from");
	if (!f || f->type != '{' || rec_parse(&from, f->val, f->val_len) != REC_OK)
		goto bad;
	for (int i = 0; i < WORK_FIELDS; i++)
		if ((v = rec_get(&r, work_names[i]))) {
			buf_add(&w->value[i], v->val, v->val_len);
			if (rec_str(rec_get(&from, work_names[i]), &w->from[i]) < 0)
				goto bad;
			buf_str(&w->from[i]);
		}
	if (rec_str(rec_get(&from, "content"), &w->content) < 0)
		w->content.len = 0;
	members_of(&w->ids, rec_get(&r, "ids"));
	members_of(&w->asked, rec_get(&r, "asked"));
	if (read_pdfs(w, rec_get(&r, "pdfs")) < 0)
		goto bad;
	return 0;
bad:
	work_reset(w);
	return -1;
}

/* Better first: a version nearer to what was published, then the source's own
 * choice, then a repository (publishers turn programs away), then as it came. */
static int
rank(const struct work_pdf *x)
{
	static const char *const versions[] = { "submittedVersion", "acceptedVersion", "publishedVersion" };
	int v = 0;

	for (int i = 0; i < 3; i++)
		if (x->version.len == strlen(versions[i]) && memcmp(x->version.p, versions[i], x->version.len) == 0)
			v = i + 1;
	return v * 4 + x->best * 2 + (x->host_type.len == 10 && memcmp(x->host_type.p, "repository", 10) == 0);
}

static void
add_string(struct buf *out, const char *name, const struct buf *s)
{
	if (!s->len)
		return;
	add_member(out, name);
	json_quote(out, s->p, s->len);
}

static void
print_pdf(struct buf *out, const struct work_pdf *x)
{
	buf_adds(out, "{\"url\":");
	json_quote(out, x->url.p, x->url.len);
	add_string(out, "source", &x->source);
	add_string(out, "version", &x->version);
	add_string(out, "license", &x->license);
	add_string(out, "host_type", &x->host_type);
	buf_adds(out, x->best ? ",\"best\":true}" : "}");
}

static void
print_pdfs(struct buf *out, const struct work *w)
{
	const char *comma = "";

	for (int r = 15; r >= 0; r--)
		for (size_t i = 0; i < w->pdfs; i++)
			if (rank(&w->pdf[i]) == r) {
				buf_adds(out, comma);
				print_pdf(out, &w->pdf[i]);
				comma = ",";
			}
}

void
work_print(struct buf *out, const struct work *w)
{
	const char *comma = "";

	buf_adds(out, "{\"doi\":");
	json_quote(out, w->doi.p, w->doi.len);
	for (int i = 0; i < WORK_FIELDS; i++)
		if (w->value[i].len) {
			add_member(out, work_names[i]);
			buf_add(out, w->value[i].p, w->value[i].len);
		}
	buf_adds(out, ",\"pdfs\":[");
	print_pdfs(out, w);
	buf_adds(out, "],\"from\":{");
	for (int i = 0; i < WORK_FIELDS; i++)
		if (w->value[i].len) {
			buf_addf(out, "%s\"%s\":", comma, work_names[i]);
			json_quote(out, w->from[i].p, w->from[i].len);
			comma = ",";
		}
	if (w->content.len) {
		buf_addf(out, "%s\"content\":", comma);
		json_quote(out, w->content.p, w->content.len);
	}
	buf_adds(out, "},\"asked\":{");
	if (w->asked.len)
		buf_add(out, w->asked.p + 1, w->asked.len - 1);
	buf_adds(out, "},\"ids\":{");
	if (w->ids.len)
		buf_add(out, w->ids.p + 1, w->ids.len - 1);
	buf_adds(out, "}}");
}

bool
work_without_content(struct buf *out, const struct rec_member *m)
{
	static struct work w;

	if (work_read(&w, m) < 0 || !w.content.len)
		return false;
	w.content.len = 0;
	work_print(out, &w);
	return true;
}
