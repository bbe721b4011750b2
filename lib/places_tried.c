/* What came of trying a place, for those who come after. */
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "places.h"

size_t
places_next(const struct places *p)
{
	size_t i = 0;

	while (i < p->n && p->place[i].tried)
		i++;
	return i;
}

void
places_tried(struct place *x, const char *code, const char *why, bool retry, unsigned long after_ms)
{
	x->code.len = x->why.len = 0;
	buf_adds(&x->code, code);
	buf_addf(&x->why, "%.200s", why);
	buf_str(&x->code);
	buf_str(&x->why);
	x->retry = retry;
	x->after_ms = after_ms;
	x->tried = true;
}

/* What the page at this place named, or NULL. */
static const struct place *
link_of(const struct places *p, const struct place *page)
{
	const struct place *x = page + 1;

	return x < p->place + p->n && x->page.len && x->page.len == page->url.len &&
	    memcmp(x->page.p, page->url.p, x->page.len) == 0 ? x : NULL;
}

static void
add_string(struct buf *out, const char *name, const struct buf *s)
{
	json_quotes(out, name);
	buf_addc(out, ':');
	json_quote(out, s->p, s->len);
}

bool
places_print(struct buf *out, const struct places *p, bool all)
{
	const char *comma = "{";

	buf_addc(out, '[');
	for (const struct place *x = p->place; x < p->place + p->n; x++) {
		const struct place *link = link_of(p, x);

		if (!x->tried || (x->retry && !all))
			continue;
		buf_adds(out, comma);
		comma = ",{";
		add_string(out, "url", &x->url);
		buf_addc(out, ',');
		add_string(out, "code", &x->code);
		buf_addc(out, ',');
		add_string(out, "why", &x->why);
		if (link) {
			buf_addc(out, ',');
			add_string(out, "link", &link->url);
		}
		if (x->retry)
			buf_addf(out, ",\"retry\":true,\"attempt\":%" PRIu64 ",\"after_ms\":%" PRIu64, p->attempt, x->after_ms);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	return comma[0] == ',';
}

void
places_found(struct buf *out, const struct places *p, const struct place *from, const char *sha256, size_t len,
    const char *stage)
{
	buf_addf(out, "{\"sha256\":\"%s\",\"length\":%zu,", sha256, len);
	add_string(out, from->path ? "path" : "url", &from->url);
	buf_addc(out, ',');
	add_string(out, "source", &from->source);
	if (from->page.len) {
		buf_addc(out, ',');
		add_string(out, "page", &from->page);
	}
	buf_adds(out, ",\"tried\":");
	places_print(out, p, true);
	buf_addf(out, ",\"stage\":\"%s\"}", stage);
}

/* Each with its reason, and who could not be asked for one. */
static void
say(struct buf *out, struct places *p)
{
	out->len = 0;
	for (const struct place *x = p->place; x < p->place + p->n; x++)
		if (x->tried)
			buf_addf(out, "%s%.200s: %s (%s)", out->len ? "; " : "", x->url.p, x->why.p, x->code.p);
	if (!out->len)
		buf_adds(out, "nobody knows a place that has it");
	if (p->unasked.len)
		buf_addf(out, "; not asked (sluice retry does so): %s", buf_str(&p->unasked));
}

void
places_fault(struct places_fault *f, struct buf *why, struct places *p)
{
	const struct place *later = NULL, *only = p->n == 1 && p->place[0].path ? &p->place[0] : NULL;

	for (const struct place *x = p->place; x < p->place + p->n; x++)
		if (x->tried && x->retry && (!later || x->after_ms < later->after_ms))
			later = x;
	say(why, p);
	*f = (struct places_fault){ .code = "no_pdf", .retry = later || p->ask_again, .later = later };
	f->after_ms = later ? later->after_ms : 0;
	if (later)
		f->code = later->code.p;
	else if (p->ask_again)
		f->code = "not_asked";
	else if (only && strcmp(only->code.p, "not_pdf") != 0)
		f->code = only->code.p;
}
