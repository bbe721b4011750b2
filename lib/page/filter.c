#include <string.h>

#include "esc.h"
#include "filter.h"
#include "frame.h"
#include "when.h"

static void
pair(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(out, "%s%s=", out->len && out->p[out->len - 1] == '?' ? "" : "&amp;", name);
	esc_urls(out, value);
}

/* That of a token for one tenant is no filter. */
static const char *
tenant(const struct page *p, const struct page_filter *f)
{
	return frame_all(p) && f->tenant && strcmp(f->tenant, "*") != 0 ? f->tenant : NULL;
}

void
filter_link(const struct page *p, const struct page_filter *f, const char *cursor)
{
	struct buf *out = p->out;

	buf_adds(out, "/ui/jobs?");
	pair(out, "status", f->status);
	pair(out, "pipeline", f->pipeline);
	pair(out, "tenant", tenant(p, f));
	pair(out, "doc_key", f->doc_key);
	pair(out, "priority", f->priority);
	pair(out, "since", f->since);
	pair(out, "until", f->until);
	pair(out, "sort", f->sort);
	pair(out, "limit", f->limit);
	pair(out, "cursor", cursor);
	if (out->p[out->len - 1] == '?')
		out->len--;
}

bool
filter_any(const struct page *p, const struct page_filter *f)
{
	const char *const all[] = { f->status, f->pipeline, tenant(p, f), f->doc_key, f->priority, f->since, f->until };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] && *all[i])
			return true;
	return false;
}

void
filter_choice(struct buf *out, const char *name, const char *label, const char *const *names, const char *chosen)
{
	bool known = !chosen || !*chosen;

	buf_addf(out, "<label>%s <select name=\"%s\">", label, name);
	frame_option(out, "", "any", chosen);
	for (; *names; names++) {
		frame_option(out, *names, *names, chosen);
		known |= chosen && !strcmp(chosen, *names);
	}
	if (!known)
		frame_option(out, chosen, chosen, chosen);
	buf_adds(out, "</select></label>");
}

static void
field(struct buf *out, const char *name, const char *label, const char *value, const char *hint)
{
	buf_addf(out, "<label>%s <input name=\"%s\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"%s\" value=\"", label, name, hint);
	esc_whole(out, value);
	buf_adds(out, "\"></label>");
}

/* Times that people mean when they say "lately", as the API wants them. */
static void
since(struct buf *out, const char *chosen, int64_t now_us)
{
	static const struct { int64_t s; const char *name; } spans[] = {
		{ 900, "the last 15 minutes" }, { 3600, "the last hour" }, { 86400, "the last day" }, { 7 * 86400, "the last 7 days" }
	};
	struct buf at = BUF_INIT;

	buf_adds(out, "<label>Admitted <select name=\"since\">");
	frame_option(out, "", "any time", chosen);
	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		at.len = 0;
		when_rfc(&at, now_us / 1000000 * 1000000 - spans[i].s * 1000000);
		frame_option(out, buf_str(&at), spans[i].name, NULL);
	}
	if (chosen && *chosen) {
		at.len = 0;
		buf_addf(&at, "since %.80s", chosen);
		frame_option(out, chosen, buf_str(&at), chosen);
	}
	buf_free(&at);
	buf_adds(out, "</select></label>");
}

void
filter_form(const struct page *p, const struct page_filter *f)
{
	static const char *const statuses[] = { "unfinished", "queued", "processing", "waiting", "completed", "failed", "cancelled", NULL };
	static const char *const levels[] = { "High", "Medium", "Low", NULL };
	struct buf *out = p->out;

	buf_adds(out, "<form class=\"filters\" method=\"get\" action=\"/ui/jobs\" role=\"search\" aria-label=\"Filter the jobs\">");
	filter_choice(out, "status", "Status", statuses, f->status);
	field(out, "pipeline", "Pipeline", f->pipeline, "any");
	field(out, "doc_key", "Document key", f->doc_key, "any");
	filter_choice(out, "priority", "Priority", levels, f->priority);
	if (frame_all(p))
		field(out, "tenant", "Tenant", tenant(p, f), "any");
	since(out, f->since, p->now_us);
	buf_adds(out, "<label>Order <select name=\"sort\">");
	frame_option(out, "", "newest first", f->sort);
	frame_option(out, "oldest", "oldest first", f->sort);
	buf_adds(out, "</select></label>");
	if (f->until && *f->until)
		field(out, "until", "Until", f->until, "2026-11-29T12:00:00Z");
	if (f->limit && *f->limit) {
		buf_adds(out, "<input type=\"hidden\" name=\"limit\" value=\"");
		esc_whole(out, f->limit);
		buf_adds(out, "\">");
	}
	buf_adds(out, "<span class=\"buttons\"><button class=\"first\">Filter</button>");
	if (filter_any(p, f))
		buf_adds(out, "<a href=\"/ui/jobs\">Clear</a>");
	buf_adds(out, "</span></form>\n");
}
