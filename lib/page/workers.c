#include "esc.h"
#include "frame.h"
#include "parts.h"
#include "when.h"

static const char *const states[] = { "live", "idle", "late", "lost", "done" };
enum { STATES = sizeof(states) / sizeof(*states), LATE = 2, LOST = 3 };

static int
state_of(const struct rec *r)
{
	for (int i = 0; i < STATES; i++)
		if (rec_is(rec_get(r, "state"), states[i]))
			return i;
	return STATES;
}

/* A tenant is told only of those that have a job of its own. */
static void
none(const struct page *p)
{
	buf_adds(p->out, frame_every(p) ? "<p class=\"empty\">No worker has come yet: <code>sluice up</code> starts them.</p>"
	    : "<p class=\"empty\">No worker has a job of this tenant at this moment.</p>");
}

void
parts_health(const struct page *p, const struct page_text *rows, size_t n)
{
	static struct rec r;
	size_t count[STATES + 1] = { 0 };
	double in_flight = 0;

	for (size_t i = 0; i < n; i++)
		if (fill_rec(&r, rows[i])) {
			count[state_of(&r)]++;
			in_flight += fill_num(&r, "in_flight", 0);
		}
	if (!n) {
		none(p);
		return;
	}
	buf_adds(p->out, "<ul class=\"health\">");
	for (int i = 0; i < STATES; i++)
		if (count[i]) {
			buf_adds(p->out, "<li><span class=\"num\">");
			fill_count(p->out, (double)count[i]);
			buf_adds(p->out, "</span> ");
			frame_state_of(p->out, states[i]);
			buf_adds(p->out, "</li>");
		}
	buf_adds(p->out, "</ul><p>");
	fill_count(p->out, in_flight);
	buf_adds(p->out, in_flight == 1 ? " job in their hands. " : " jobs in their hands. ");
	if (frame_every(p) && !count[0] && !count[1])
		buf_adds(p->out, "<strong class=\"bad\">None is at work:</strong> see <code>sluice status</code>. ");
	buf_adds(p->out, "<a href=\"/ui/workers\">All workers</a></p>");
}

static const char *const counts[] = { "processed", "failed", "retried" };

static void
row(const struct page *p, const struct rec *r)
{
	struct buf *out = p->out;

	fill(out, r, "<tr data-key=\"{id}\"><th scope=\"row\"><span class=\"main\">{name:60}</span><span class=\"sub\">");
	if (fill_has(r, "host"))
		fill(out, r, "{host:60}, pid {pid:12}, ");
	fill(out, r, "no. {id:20}</span></th><td>");
	frame_state(out, r, "state");
	fill(out, r, "</td><td class=\"wide\"><a href=\"/ui/jobs?pipeline={%pipeline}");
	frame_asked(p, out);
	fill(out, r, "\">{pipeline:60}</a></td><td class=\"num\">{in_flight:12}");
	for (size_t i = 0; frame_every(p) && i < sizeof(counts) / sizeof(*counts); i++) {
		buf_adds(out, "</td><td class=\"num wide\">");
		fill_count(out, fill_num(r, counts[i], 0));
	}
	buf_adds(out, "</td><td class=\"wide\">");
	when_ago(out, p->now_us, fill_time(r, "started_at"));
	buf_adds(out, "</td><td>");
	when_ago(out, p->now_us, fill_time(r, "beat_at"));
	buf_adds(out, "</td></tr>\n");
}

void
page_workers(const struct page *p, const struct page_text *rows, size_t n)
{
	static struct rec r;
	struct buf *out = p->out;

	frame_open(p, "Workers", FRAME_WORKERS, "/v1/events");
	buf_adds(out, "<h1>Workers</h1>\n<section id=\"workers\" data-live aria-label=\"Workers\">");
	if (!n) {
		none(p);
		buf_adds(out, "</section>\n");
		frame_close(p);
		return;
	}
	buf_addf(out, "<table class=\"list\"><caption>%s</caption><thead><tr><th scope=\"col\">Worker</th>"
	    "<th scope=\"col\" class=\"c-short\">State</th><th scope=\"col\" class=\"wide\">Pipeline</th><th scope=\"col\" class=\"num c-num\">In flight</th>",
	    frame_every(p) ? "Workers, and what each has done since it started" : "Workers that have jobs of this tenant, and how many");
	if (frame_every(p))
		buf_adds(out, "<th scope=\"col\" class=\"num wide\">Processed</th><th scope=\"col\" class=\"num wide\">Failed</th>"
		    "<th scope=\"col\" class=\"num wide\">Retried</th>");
	buf_adds(out, "<th scope=\"col\" class=\"wide\">Started</th><th scope=\"col\" class=\"c-when\">Last beat</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++)
		if (fill_rec(&r, rows[i]))
			row(p, &r);
	buf_adds(out, "</tbody></table></section>\n");
	frame_close(p);
}
