#include "esc.h"
#include "job.h"
#include "when.h"

enum { LOG_MOST = 64 << 10 };

static double
total(const struct rec *timings)
{
	double sum = 0, v;

	for (size_t i = 0; i < timings->n; i++)
		if ((v = fill_num_of(&timings->m[i], 0)) > 0)
			sum += v;
	return sum;
}

/* A bar for each stage, where it began and how long it took, on one scale. */
static void
bars(struct buf *out, const struct rec *timings)
{
	double whole = total(timings), at = 0, v;

	buf_adds(out, "<table class=\"bars\"><caption class=\"hide\">How long each stage took</caption><thead><tr>"
	    "<th scope=\"col\"><span class=\"hide\">Stage</span></th><th scope=\"col\" class=\"meter\"><span class=\"hide\">Time</span></th></tr></thead><tbody>");
	for (size_t i = 0; i < timings->n && i < 64; i++) {
		const struct rec_member *m = &timings->m[i];

		v = fill_num_of(m, 0);
		if (!(v > 0))
			v = 0;
		buf_adds(out, "<tr><th scope=\"row\">");
		esc_html(out, m->key, m->key_len, 40);
		buf_adds(out, "</th><td class=\"meter\"><div><span class=\"num\">");
		when_span(out, v < 9e15 ? (int64_t)v : INT64_C(9000000000000000));
		buf_adds(out, "</span>");
		frame_bar(out, at, v, whole, "p-medium");
		buf_adds(out, "</div></td></tr>");
		at += v;
	}
	buf_adds(out, "</tbody></table>");
}

static void
logs_of(const struct page *p, const struct rec *attempt, const struct page_log *logs, size_t n, size_t at, bool last)
{
	struct buf *out = p->out;
	double run = fill_num(attempt, "run", 0), no = fill_num(attempt, "attempt", 0);

	for (size_t i = 0; i < n; i++) {
		const char *from = logs[i].p;
		size_t len = logs[i].len;

		if ((double)logs[i].run != run || (double)logs[i].attempt != no)
			continue;
		buf_addf(out, "<details id=\"log-%zu-%zu\"%s><summary>What its stages said, ", at, i, last ? " open" : "");
		fill_count(out, (double)len);
		buf_adds(out, " bytes</summary><pre class=\"say\" tabindex=\"0\">");
		if (len > LOG_MOST) {
			buf_adds(out, "[the end of it]\n");
			from += len - LOG_MOST;
			len = LOG_MOST;
		}
		esc_html(out, from, len, LOG_MOST);
		buf_adds(out, "</pre></details>");
	}
}

static void
attempt(const struct page *p, const struct rec *r, const struct page_log *logs, size_t n, size_t at, bool last)
{
	static struct rec in;
	struct buf *out = p->out;
	int64_t began = fill_time(r, "began_at"), end = fill_time(r, "ended_at");

	fill(out, r, "<article data-key=\"{run}.{attempt}\"><h3>Run {run}, attempt {attempt} ");
	frame_state(out, r, "status");
	buf_adds(out, "</h3><p class=\"dim\">");
	when_at(out, p->now_us, began);
	if (began != WHEN_NONE && end != WHEN_NONE) {
		buf_adds(out, " for ");
		when_span(out, end - began);
	}
	if (fill_has(r, "worker"))
		fill(out, r, ", worker {worker:60}");
	if (fill_has(r, "dead"))
		fill(out, r, ", <a href=\"/ui/dead/{%dead}\">dead letter {dead}</a>");
	buf_adds(out, "</p>");
	if (fill_in(&in, r, "error"))
		job_error(out, &in);
	if (fill_in(&in, r, "timings") && in.n)
		bars(out, &in);
	logs_of(p, r, logs, n, at, last);
	buf_adds(out, "</article>\n");
}

void
job_attempts(const struct page *p, const struct rec *history, const struct page_log *logs, size_t n)
{
	static struct rec list, r;
	struct buf *out = p->out;

	fill_list(&list, history, "attempts");
	buf_adds(out, "<section id=\"attempts\" class=\"card\" data-live aria-labelledby=\"attempts-h\"><h2 id=\"attempts-h\">Attempts</h2>");
	if (!list.n)
		buf_adds(out, "<p class=\"empty\">No worker has had it yet.</p>");
	/* The last one first: that is what people come for. */
	for (size_t i = list.n; i-- > 0 && list.n - i <= 100; )
		if (fill_item(&r, &list, i))
			attempt(p, &r, logs, n, i, i + 1 == list.n);
	buf_adds(out, "</section>\n");
}
