#include "esc.h"
#include "frame.h"
#include "parts.h"
#include "when.h"

/* One box, its number a link to the jobs there. status NULL: nothing to link to. */
static void
box(const struct page *p, const struct rec *pipe, const char *label, double v, const char *status, const char *class)
{
	struct buf *out = p->out;

	buf_addf(out, "<li class=\"%s%s\"><span class=\"stage\">%s</span><span class=\"in\">", class, v > 0 ? " full" : "", label);
	if (status) {
		buf_addf(out, "<a href=\"/ui/jobs?status=%s&amp;pipeline=", status);
		fill(out, pipe, "{%name}");
		frame_asked(p, out);
		buf_adds(out, "\" aria-label=\"");
		fill_count(out, v);
		buf_addf(out, " %s in ", status);
		fill(out, pipe, "{name}\">");
	}
	fill_count(out, v);
	buf_adds(out, status ? "</a></span></li>" : "</span></li>");
}

static bool
staged(const struct rec *pipe)
{
	static struct rec list;

	return fill_list(&list, pipe, "stages") && list.n;
}

static void
stages(const struct page *p, const struct rec *pipe)
{
	static struct rec list, stage;
	struct buf *out = p->out;

	fill_list(&list, pipe, "stages");
	if (!staged(pipe))
		box(p, pipe, "processing", fill_num(pipe, "processing", 0), "processing", "box");
	for (size_t i = 0; i < list.n && i < 64; i++) {
		double v;

		if (!fill_item(&stage, &list, i))
			continue;
		v = fill_num(&stage, "in_flight", 0);
		buf_addf(out, "<li class=\"box%s\"><span class=\"stage\">", v > 0 ? " full" : "");
		fill(out, &stage, "{name:40}</span><span class=\"in\">");
		fill_count(out, v);
		buf_adds(out, "</span></li>");
	}
}

static double
queued(const struct rec *pipe)
{
	static struct rec q;

	fill_in(&q, pipe, "queued");
	return fill_num(&q, "High", 0) + fill_num(&q, "Medium", 0) + fill_num(&q, "Low", 0);
}

static void
remarks(struct buf *out, const struct rec *pipe)
{
	static struct rec q;
	bool paused = false;
	double oldest = fill_num(pipe, "oldest_queued_s", -1);

	rec_bool(rec_get(pipe, "paused"), &paused);
	if (paused)
		frame_state_of(out, "paused");
	frame_inexact(out, pipe);
	if (fill_has(pipe, "limit"))
		fill(out, pipe, "<span class=\"dim\">at most {limit:12} at a time</span>");
	if (queued(pipe) > 0 && fill_in(&q, pipe, "queued"))
		fill(out, &q, "<span class=\"dim\">{High:12} High, {Medium:12} Medium, {Low:12} Low</span>");
	if (queued(pipe) > 0 && oldest >= 0 && oldest < 1e12) {
		buf_adds(out, "<span class=\"dim\">oldest queued ");
		when_about(out, (int64_t)(oldest * 1e6));
		buf_adds(out, "</span>");
	}
}

static void
flow(const struct page *p, const struct rec *pipe)
{
	struct buf *out = p->out;

	fill(out, pipe, "<article class=\"card\" data-key=\"{name}\"><h3><a href=\"/ui/jobs?pipeline={%name}");
	frame_asked(p, out);
	fill(out, pipe, "\">{name}</a></h3><div class=\"remarks\">");
	remarks(out, pipe);
	fill(out, pipe, "</div><ol class=\"flow\" aria-label=\"Stages of {name} in order, with the jobs in each\">");
	box(p, pipe, "queued", queued(pipe), "queued", "box end");
	stages(p, pipe);
	if (fill_has(pipe, "completed_day"))
		box(p, pipe, "completed, 24 h", fill_num(pipe, "completed_day", 0), "completed", "box end good");
	buf_adds(out, "</ol><p class=\"besides\">Besides: ");
	if (staged(pipe)) {
		fill_count(out, fill_num(pipe, "processing", 0));
		buf_adds(out, " processing in all, ");
	}
	fill_count(out, fill_num(pipe, "waiting", 0));
	fill(out, pipe, " <a href=\"/ui/jobs?status=waiting&amp;pipeline={%name}");
	frame_asked(p, out);
	buf_adds(out, "\">waiting</a>, ");
	fill_count(out, fill_num(pipe, "failed_day", 0));
	fill(out, pipe, " <a href=\"/ui/jobs?status=failed&amp;pipeline={%name}");
	frame_asked(p, out);
	buf_adds(out, "\">failed</a> in 24 h</p></article>\n");
}

static bool
busy(const struct rec *pipe)
{
	bool paused = false;

	rec_bool(rec_get(pipe, "paused"), &paused);
	return paused || queued(pipe) > 0 || fill_num(pipe, "processing", 0) > 0 || fill_num(pipe, "waiting", 0) > 0;
}

void
parts_flows(const struct page *p, const struct page_text *rows, size_t n, size_t most)
{
	static struct rec r;
	size_t shown = 0;

	if (!n)
		buf_adds(p->out, "<p class=\"empty\">No pipeline is known yet: <code>sluice up</code> makes them known.</p>");
	for (size_t i = 0; i < n; i++)
		if (fill_rec(&r, rows[i]) && (!most || n <= most || (shown < most && busy(&r)))) {
			flow(p, &r);
			shown++;
		}
	if (!most || n <= most)
		return;
	buf_adds(p->out, "<p>");
	fill_count(p->out, (double)(n - shown));
	buf_adds(p->out, " pipelines more: <a href=\"/ui/pipelines");
	if (p->asked) {
		buf_adds(p->out, "?tenant=");
		esc_urls(p->out, p->asked);
	}
	buf_adds(p->out, "\">all of them</a></p>");
}

void
page_pipelines(const struct page *p, const struct page_text *rows, size_t n)
{
	frame_open(p, "Pipelines", FRAME_PIPELINES, "/v1/events");
	buf_adds(p->out, "<h1>Pipelines</h1>\n<section id=\"pipelines\" data-live aria-labelledby=\"pipelines-h\"><h2 class=\"hide\" id=\"pipelines-h\">Their stages, and what is in each</h2>");
	parts_flows(p, rows, n, 0);
	buf_adds(p->out, "</section>\n");
	frame_close(p);
}
