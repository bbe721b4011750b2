#include <math.h>
#include <string.h>

#include "esc.h"
#include "frame.h"
#include "parts.h"
#include "plot.h"
#include "series.h"

enum { FLOWS = 60 };    /* pipelines that are drawn, for all of them there is a page */

static const char *const priorities[] = { "High", "Medium", "Low" };

static void
tile(const struct page *p, const char *label, double v, const char *href, const char *class)
{
	struct buf *out = p->out;

	buf_addf(out, "<div class=\"tile%s\"><dt>%s</dt><dd>", v > 0 ? class : "", label);
	if (href) {
		buf_addf(out, "<a href=\"%s", href);
		frame_asked(p, out);
		buf_adds(out, "\">");
	}
	fill_count(out, v);
	buf_addf(out, "%s</dd></div>", href ? "</a>" : "");
}

static double
queued_of(const struct rec *stats)
{
	static struct rec q;
	double sum = 0;

	fill_in(&q, stats, "queued");
	for (size_t i = 0; i < 3; i++)
		sum += fill_num(&q, priorities[i], 0);
	return sum;
}

static void
tiles(const struct page *p, const struct rec *stats)
{
	struct buf *out = p->out;

	buf_adds(out, "<section id=\"now\" data-live aria-labelledby=\"now-h\"><h2 class=\"hide\" id=\"now-h\">Now</h2><dl class=\"tiles\">");
	tile(p, "Queued", queued_of(stats), "/ui/jobs?status=queued", "");
	tile(p, "Processing", fill_num(stats, "processing", 0), "/ui/jobs?status=processing", "");
	tile(p, "Waiting", fill_num(stats, "waiting", 0), "/ui/jobs?status=waiting", "");
	tile(p, "Dead letters, 24 h", fill_num(stats, "dead_day", 0), "/ui/dead?kind=", " t-bad");
	if (fill_has(stats, "outbox_backlog"))
		tile(p, "Results to be sent", fill_num(stats, "outbox_backlog", 0), NULL, "");
	buf_adds(out, "</dl>");
	frame_inexact(out, stats);
	buf_adds(out, "</section>\n");
}

static void
queue(struct buf *out, const struct rec *stats)
{
	static const char *const classes[] = { "p-high", "p-medium", "p-low" };
	static struct rec q;
	double most = 0;

	fill_in(&q, stats, "queued");
	for (size_t i = 0; i < 3; i++)
		most = fmax(most, fill_num(&q, priorities[i], 0));
	buf_adds(out, "<section class=\"card\" id=\"queue\" data-live aria-labelledby=\"queue-h\"><h2 id=\"queue-h\">Queue by priority</h2>"
	    "<table class=\"bars\"><caption class=\"hide\">Jobs that are queued, by priority</caption><thead><tr><th scope=\"col\"><span class=\"hide\">Priority</span></th>"
	    "<th scope=\"col\" class=\"meter\"><span class=\"hide\">Queued</span></th></tr></thead><tbody>");
	for (size_t i = 0; i < 3; i++) {
		double v = fill_num(&q, priorities[i], 0);

		buf_addf(out, "<tr><th scope=\"row\">%s</th><td class=\"meter\"><div><span class=\"num\">", priorities[i]);
		fill_count(out, v);
		buf_adds(out, "</span>");
		frame_bar(out, 0, v > 0 ? v : 0, most, classes[i]);
		buf_adds(out, "</div></td></tr>");
	}
	buf_adds(out, "</tbody></table></section>\n");
}

/* ms, s, min or h for a latency of as much as max. */
static void
scale(struct series *s, const char **unit)
{
	double max = 0, by = 1;

	for (size_t i = 0; i < s->n; i++)
		if (s->p95[i] > max)
			max = s->p95[i];
	*unit = " ms";
	if (max >= 3 * 3600e3)
		*unit = " h", by = 3600e3;
	else if (max >= 300e3)
		*unit = " min", by = 60e3;
	else if (max >= 2000)
		*unit = " s", by = 1e3;
	for (size_t i = 0; i < s->n; i++) {
		s->p50[i] /= by;
		s->p95[i] /= by;
	}
}

static void
plots(struct buf *out, const struct rec *stats, int64_t now_us)
{
	static struct series s;
	struct plot rate = { .id = "rate", .title = "Throughput, jobs a second", .unit = "", .lines = 3 };
	struct plot late = { .id = "latency", .title = "Latency, admitted to completed", .peak = true, .lines = 2 };

	series_read(&s, stats, now_us);
	buf_adds(out, "<section id=\"plots\" data-live aria-labelledby=\"plots-h\"><h2 class=\"hide\" id=\"plots-h\">Over time</h2><div class=\"plots\">");
	if (!s.n) {
		buf_adds(out, "<p class=\"empty\">No figures over time yet: they come once jobs have been admitted.</p></div></section>\n");
		return;
	}
	rate.n = late.n = s.n;
	rate.from_us = late.from_us = s.from_us;
	rate.step_us = late.step_us = s.step_us;
	rate.line[0] = (struct plot_line){ "completed", "l-good", s.completed };
	rate.line[1] = (struct plot_line){ "admitted", "l-in", s.admitted };
	rate.line[2] = (struct plot_line){ "failed", "l-bad", s.failed };
	scale(&s, &late.unit);
	late.line[0] = (struct plot_line){ "p50", "l-good", s.p50 };
	late.line[1] = (struct plot_line){ "p95", "l-top", s.p95 };
	plot_draw(out, &rate);
	plot_draw(out, &late);
	buf_adds(out, "</div></section>\n");
}

void
page_overview(const struct page *p, struct page_text stats, const struct page_text *pipelines, size_t pipelines_n,
    const struct page_text *workers, size_t workers_n)
{
	static struct rec r;

	fill_rec(&r, stats);
	frame_open(p, "Overview", FRAME_OVERVIEW, "/v1/events");
	buf_adds(p->out, "<h1>Overview</h1>\n");
	tiles(p, &r);
	plots(p->out, &r, p->now_us);
	buf_adds(p->out, "<div class=\"two\">");
	queue(p->out, &r);
	buf_adds(p->out, "<section class=\"card\" id=\"workers\" data-live aria-labelledby=\"workers-h\"><h2 id=\"workers-h\">Workers</h2>");
	parts_health(p, workers, workers_n);
	buf_adds(p->out, "</section></div>\n<section id=\"pipelines\" data-live aria-labelledby=\"pipelines-h\"><h2 id=\"pipelines-h\">Pipelines</h2>");
	parts_flows(p, pipelines, pipelines_n, FLOWS);
	buf_adds(p->out, "</section>\n");
	frame_close(p);
}
