#include "index/card.h"

#include <stdint.h>

#include "text/lang.h"
#include "text/markup.h"
#include "text/merge.h"
#include "text/tidy.h"

enum { LANGUAGE = 35, AUTHORS = 8 << 10 };      /* bytes: the longest tag; of all names */

static struct merge known = MERGE_INIT;

/* A string without its markup. False: there is nothing in it. */
static bool
add_line(struct buf *out, const struct rec_member *m)
{
	static struct buf raw;
	size_t from = out->len;

	raw.len = 0;
	if (rec_str(m, &raw) == 0)
		markup_line(out, buf_str(&raw), raw.len);
	return out->len > from;
}

static void
add_authors(struct buf *out, const struct rec_member *m)
{
	static struct rec names = REC_INIT;
	size_t from = out->len;

	if (!m || m->type != '[' || rec_items(&names, m->val, m->val_len) != REC_OK)
		return;
	for (size_t i = 0; i < names.n && out->len - from < AUTHORS; i++) {
		size_t was = out->len;

		if (was > from)
			buf_adds(out, ", ");
		if (!add_line(out, &names.m[i]))
			out->len = was;
	}
	if (out->len > from)
		buf_addc(out, '\n');
}

static void
add_venue(struct buf *out)
{
	bool venue = add_line(out, rec_get(&known.work, "venue"));
	uint64_t year;

	if (rec_u64(rec_get(&known.work, "year"), &year) == 0) {
		buf_addf(out, venue ? ", %llu" : "%llu", (unsigned long long)year);
		venue = true;
	}
	if (venue)
		buf_addc(out, '\n');
}

static bool
is_tag(const struct buf *s)
{
	if (!s->len || s->len > LANGUAGE)
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (!((s->p[i] | 32) >= 'a' && (s->p[i] | 32) <= 'z') && !(i && s->p[i] >= '0' && s->p[i] <= '9') &&
		    !(i && s->p[i] == '-'))
			return false;
	return true;
}

/* What is said of it, else what the text looks like. */
static void
find_language(struct card *c, const struct rec *line)
{
	c->language.len = 0;
	if (rec_str(rec_get(line, "language"), &c->language) == 0 && is_tag(&c->language))
		return;
	c->language.len = 0;
	if (rec_str(rec_get(&known.work, "language"), &c->language) == 0 && is_tag(&c->language))
		return;
	c->language.len = 0;
	buf_adds(&c->language, lang_detect(c->body.p, c->body.len));
}

bool
card_read(struct card *c, const struct rec *line)
{
	c->title.len = c->body.len = 0;
	merge_read(&known, line);
	if (!known.work.n || !add_line(&c->title, rec_get(&known.work, "title")))
		return false;
	c->title.len = 0;
	merge_title(&c->title, &known, line);
	c->title.len = tidy_cut(c->title.p, c->title.len, CARD_TITLE);
	buf_add(&c->body, c->title.p, c->title.len);
	buf_addc(&c->body, '\n');
	add_authors(&c->body, rec_get(&known.work, "authors"));
	add_venue(&c->body);
	add_line(&c->body, rec_get(&known.work, "abstract"));
	while (c->body.p[c->body.len - 1] == '\n')
		c->body.len--;
	c->body.len = tidy_cut(c->body.p, c->body.len, CARD_MOST);
	find_language(c, line);
	return true;
}
