#include <math.h>

#include "esc.h"
#include "job.h"
#include "when.h"

/* Microseconds; of what can't be, so many that sums of them are numbers still. */
static double
spent(const struct rec_member *m)
{
	double v = fill_num_of(m, 0);

	return v > 0 ? fmin(v, 9e15) : 0;
}

static double
total(const struct rec *timings)
{
	double sum = 0;

	for (size_t i = 0; i < timings->n; i++)
		sum += spent(&timings->m[i]);
	return sum;
}

static void
bar(struct buf *out, double at, double us, double whole, const char *class)
{
	buf_adds(out, "</th><td class=\"meter\"><div><span class=\"num\">");
	when_span(out, us < 9e15 ? (int64_t)us : INT64_C(9000000000000000));
	buf_adds(out, "</span>");
	frame_bar(out, at, us, whole, class);
	buf_adds(out, "</div></td></tr>");
}

/* A bar for each stage, where it began and how long it took, on the scale of the attempt, which took took us; 0: not
 * known. The rest is no stage's: the job waited its turn. */
static void
bars(struct buf *out, const struct rec *timings, double took)
{
	double sum = total(timings), whole = sum > took ? sum : took, at = 0, v;

	buf_adds(out, "<table class=\"bars\"><caption class=\"hide\">How long each stage took</caption><thead><tr>"
	    "<th scope=\"col\"><span class=\"hide\">Stage</span></th><th scope=\"col\" class=\"meter\"><span class=\"hide\">Time</span></th></tr></thead><tbody>");
	for (size_t i = 0; i < timings->n && i < 64; i++) {
		const struct rec_member *m = &timings->m[i];

		v = spent(m);
		buf_adds(out, "<tr><th scope=\"row\">");
		esc_html(out, m->key, m->key_len, 40);
		bar(out, at, v, whole, "p-medium");
		at += v;
	}
	if (whole - sum >= 1000) {
		buf_adds(out, "<tr><th scope=\"row\">waiting for other records");
		bar(out, sum, whole - sum, whole, "p-low");
	}
	buf_adds(out, "</tbody></table>");
}

static void
log_of(const struct page *p, const struct rec *attempt, const struct page_log *logs, size_t n, size_t at, bool last, const char *known)
{
	double run = fill_num(attempt, "run", 0), no = fill_num(attempt, "attempt", 0);

	for (size_t i = 0; i < n; i++)
		if ((double)logs[i].run == run && (double)logs[i].attempt == no) {
			job_log(p, &logs[i], at, last, known);
			return;
		}
}

/* What became of the attempt, where the job's own state then says something else of it. */
static void
outcome(struct buf *out, const struct rec *r, bool cancelled)
{
	const struct rec_member *status = rec_get(r, "status");
	bool went_on = fill_has(r, "ended_at") && (rec_is(status, "queued") || rec_is(status, "waiting"));

	if (went_on && cancelled)
		frame_state_of(out, "cancelled");
	else if (went_on && rec_is(status, "queued"))
		frame_state_of(out, "retried");
	else
		frame_state(out, r, "status");
}

static void
attempt(const struct page *p, const struct rec *r, bool cancelled)
{
	static struct rec in;
	struct buf *out = p->out;
	int64_t began = fill_time(r, "began_at"), end = fill_time(r, "ended_at");

	fill(out, r, "<article data-key=\"{run}.{attempt}\"><h3>Run {run}, attempt {attempt} ");
	outcome(out, r, cancelled);
	buf_adds(out, "</h3><p class=\"dim\">");
	when_at(out, p->now_us, began);
	if (began != WHEN_NONE && end != WHEN_NONE) {
		buf_adds(out, " for ");
		when_span(out, end - began);
	}
	if (fill_has(r, "worker"))
		fill(out, r, ", worker <bdi>{worker:60}</bdi>");
	if (fill_has(r, "dead"))
		fill(out, r, ", <a href=\"/ui/dead/{%dead}\">dead letter {dead}</a>");
	buf_adds(out, "</p>");
	if (fill_in(&in, r, "error"))
		job_error(out, &in);
	if (fill_in(&in, r, "timings") && in.n)
		bars(out, &in, began != WHEN_NONE && end != WHEN_NONE ? (double)(end - began) : 0);
}

void
job_attempts(const struct page *p, const struct rec *history, const struct page_log *logs, size_t n)
{
	static struct rec list, r, job;
	static struct buf known;
	struct buf *out = p->out;
	bool cancelled = fill_in(&job, history, "job") && rec_is(rec_get(&job, "status"), "cancelled");

	job_stages_known(&known, history);
	fill_list(&list, history, "attempts");
	buf_adds(out, "<section id=\"attempts\" class=\"card\" data-live aria-labelledby=\"attempts-h\"><h2 id=\"attempts-h\">Attempts</h2>");
	if (!list.n)
		buf_adds(out, "<p class=\"empty\">No worker has had it yet.</p>");
	job_log_stages(p, &job, logs, n, known.p);
	/* The last one first: that is what people come for. */
	for (size_t i = list.n; i-- > 0 && list.n - i <= 100; ) {
		bool last = i + 1 == list.n;

		if (!fill_item(&r, &list, i))
			continue;
		attempt(p, &r, last && cancelled);
		log_of(p, &r, logs, n, i, last, known.p);
		buf_adds(out, "</article>\n");
	}
	buf_adds(out, "</section>\n");
}
