#include "work.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"

const char *const work_names[WORK_FIELDS] = {
	[WORK_TITLE] = "title", [WORK_AUTHORS] = "authors", [WORK_YEAR] = "year", [WORK_VENUE] = "venue",
	[WORK_LICENSE] = "license", [WORK_OA_STATUS] = "oa_status", [WORK_IS_OA] = "is_oa",
	[WORK_LANGUAGE] = "language", [WORK_TYPE] = "type", [WORK_ABSTRACT] = "abstract",
};

void
work_reset(struct work *w)
{
	w->doi.len = w->ids.len = w->asked.len = w->content.len = w->pdfs = 0;
	for (int i = 0; i < WORK_FIELDS; i++)
		w->value[i].len = w->from[i].len = 0;
}

void
work_free(struct work *w)
{
	buf_free(&w->doi);
	buf_free(&w->ids);
	buf_free(&w->asked);
	buf_free(&w->content);
	for (int i = 0; i < WORK_FIELDS; i++) {
		buf_free(&w->value[i]);
		buf_free(&w->from[i]);
	}
	for (int i = 0; i < WORK_PDFS; i++) {
		buf_free(&w->pdf[i].url);
		buf_free(&w->pdf[i].version);
		buf_free(&w->pdf[i].license);
		buf_free(&w->pdf[i].host_type);
		buf_free(&w->pdf[i].source);
	}
}

static void
set(struct work *w, enum work_field f, const char *source, const char *json, size_t len)
{
	w->value[f].len = w->from[f].len = 0;
	buf_add(&w->value[f], json, len);
	buf_adds(&w->from[f], source);
}

/* The strings that it has, not counting white space around them. */
static void
trim(const char **p, size_t *len)
{
	while (*len && (unsigned char)**p <= ' ')
		(*p)++, (*len)--;
	while (*len && (unsigned char)(*p)[*len - 1] <= ' ')
		(*len)--;
}

void
work_text(struct work *w, enum work_field f, const char *source, const char *p, size_t len)
{
	static struct buf json;
	bool closed = f == WORK_OA_STATUS && w->value[f].len == 8 && memcmp(w->value[f].p, "\"closed\"", 8) == 0;

	trim(&p, &len);
	if (!len || len > WORK_TEXT_MAX || (w->value[f].len && !closed))
		return;
	json.len = 0;
	json_quote(&json, p, len);
	set(w, f, source, json.p, json.len);
}

void
work_string(struct work *w, enum work_field f, const char *source, const struct rec_member *m)
{
	static struct buf s;

	s.len = 0;
	if (rec_str(m, &s) == 0)
		work_text(w, f, source, buf_str(&s), s.len);
}

void
work_year(struct work *w, const char *source, const struct rec_member *m)
{
	uint64_t v;

	if (!w->value[WORK_YEAR].len && rec_u64(m, &v) == 0 && v >= 1000 && v <= 9999)
		set(w, WORK_YEAR, source, m->val, m->val_len);
}

void
work_open(struct work *w, const char *source, const struct rec_member *m)
{
	bool v;

	if (rec_bool(m, &v) == 0 && (!w->value[WORK_IS_OA].len || (v && w->value[WORK_IS_OA].p[0] == 'f')))
		set(w, WORK_IS_OA, source, m->val, m->val_len);
}

void
work_authors(struct work *w, const char *source, const struct buf *list)
{
	if (!w->value[WORK_AUTHORS].len && list->len > 2)
		set(w, WORK_AUTHORS, source, list->p, list->len);
}

static void
add_member(struct buf *b, const char *name)
{
	buf_addc(b, ',');
	json_quotes(b, name);
	buf_addc(b, ':');
}

/* The members, each with a comma before it, as an object. False: it is none. */
static bool
object_of(struct rec *r, struct buf *json, const struct buf *members)
{
	json->len = 0;
	buf_addc(json, '{');
	if (members->len)
		buf_add(json, members->p + 1, members->len - 1);
	buf_addc(json, '}');
	return rec_parse(r, json->p, json->len) == REC_OK;
}

/* The list of members has one of this name: it, good until the next call, or NULL. */
static const struct rec_member *
listed(const struct buf *b, const char *name)
{
	static struct rec r;
	static struct buf json;

	return object_of(&r, &json, b) ? rec_get(&r, name) : NULL;
}

void
work_id(struct work *w, const char *name, const struct rec_member *m)
{
	static struct buf s;

	s.len = 0;
	if (!m || listed(&w->ids, name))
		return;
	if (m->type == '0' && m->val_len < 32)
		buf_add(&s, m->val, m->val_len);
	else if (rec_str(m, &s) < 0 || !s.len || s.len > 512)
		return;
	add_member(&w->ids, name);
	json_quote(&w->ids, s.p, s.len);
}

enum work_asked
work_asked(const struct work *w, const char *source)
{
	static struct rec one;
	const struct rec_member *m = listed(&w->asked, source);
	bool again = false;

	if (!m)
		return WORK_UNASKED;
	if (m->type == '{' && rec_parse(&one, m->val, m->val_len) == REC_OK)
		rec_bool(rec_get(&one, "retry"), &again);
	return again ? WORK_FAILED : WORK_ASKED;
}

void
work_ask(struct work *w, const char *source, const char *outcome, const char *why, bool again, int64_t at)
{
	static struct rec r;
	static struct buf json, one, out;
	struct rec_change c = { .name = source };
	time_t t = (time_t)at;
	char text[32];
	struct tm tm;

	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	one.len = out.len = 0;
	buf_addf(&one, "{\"outcome\":\"%s\",", outcome);
	if (why) {
		buf_adds(&one, "\"why\":");
		json_quotes(&one, why);
		buf_addc(&one, ',');
	}
	buf_addf(&one, "%s\"at\":\"%s\"}", again ? "\"retry\":true," : "", text);
	c.val = one.p;
	c.len = one.len;
	if (!object_of(&r, &json, &w->asked))
		return;
	rec_edit(&out, &r, &c, 1);
	w->asked.len = 0;
	buf_addc(&w->asked, ',');
	buf_add(&w->asked, out.p + 1, out.len - 2);
}

bool
work_enough(const struct work *w, bool has_pdf)
{
	return has_pdf && w->value[WORK_TITLE].len && w->value[WORK_AUTHORS].len && w->value[WORK_YEAR].len;
}

/* A string member into b, or nothing. */
static void
text_of(struct buf *b, const struct rec_member *m)
{
	b->len = 0;
	if (rec_str(m, b) < 0 || b->len > 4096)
		b->len = 0;
}

void
work_pdf(struct work *w, const char *source, const struct rec_member *url, const struct rec_member *version,
    const struct rec_member *license, const struct rec_member *host_type, bool best)
{
	struct work_pdf *x = &w->pdf[w->pdfs];

	if (w->pdfs == WORK_PDFS)
		return;
	text_of(&x->url, url);
	buf_str(&x->url);
	if ((strncmp(x->url.p, "http://", 7) != 0 && strncmp(x->url.p, "https://", 8) != 0) || memchr(x->url.p, 0, x->url.len))
		return;
	for (size_t i = 0; i < w->pdfs; i++)
		if (w->pdf[i].url.len == x->url.len && memcmp(w->pdf[i].url.p, x->url.p, x->url.len) == 0)
			return;
	text_of(&x->version, version);
	text_of(&x->license, license);
	text_of(&x->host_type, host_type);
	x->source.len = 0;
	buf_adds(&x->source, source);
	x->best = best;
	w->pdfs++;
}
