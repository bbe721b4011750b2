#include "esc.h"
#include "job.h"
#include "when.h"

/* "/ui/jobs/ID/WHAT?tenant=" as a form's opening tag. */
static void
form(const struct page *p, const struct rec *job, const char *what)
{
	fill(p->out, job, "<form method=\"post\" action=\"/ui/jobs/{%job_id}");
	buf_addf(p->out, "/%s", what);
	frame_tenant(p, job);
	buf_adds(p->out, "\">");
}

static void
actions(const struct page *p, const struct rec *job)
{
	const struct rec_member *status = rec_get(job, "status");
	bool ended = rec_is(status, "completed") || rec_is(status, "failed") || rec_is(status, "cancelled");

	buf_adds(p->out, "<div class=\"actions\">");
	if (p->may & PAGE_MAY_WRITE && rec_is(status, "waiting")) {
		form(p, job, "open");
		fill(p->out, job, "<input type=\"hidden\" name=\"gate\" value=\"{gate}\"><button class=\"first\">Open gate {gate:40}</button></form>");
	}
	if (p->may & PAGE_MAY_WRITE && rec_is(status, "failed")) {
		form(p, job, "retry");
		buf_adds(p->out, "<button class=\"first\">Run again</button></form>");
	}
	if (p->may & PAGE_MAY_WRITE && status && !ended) {
		form(p, job, "cancel");
		buf_adds(p->out, "<label class=\"hide\" for=\"reason\">Reason for cancelling</label>"
		    "<input id=\"reason\" name=\"reason\" maxlength=\"200\" placeholder=\"reason, if any\" autocomplete=\"off\">"
		    "<button class=\"danger\">Cancel the job</button></form>");
	}
	if (ended) {
		fill(p->out, job, "<a href=\"/v1/jobs/{%job_id}/result");
		frame_tenant(p, job);
		buf_adds(p->out, "\">Result (JSON)</a>");
	}
	fill(p->out, job, "<a href=\"/v1/jobs/{%job_id}/history");
	frame_tenant(p, job);
	buf_adds(p->out, "\">History (JSON)</a></div>\n");
}

static void
facts(const struct page *p, const struct rec *job)
{
	struct buf *out = p->out;

	buf_adds(out, "<section id=\"facts\" class=\"card\" data-live aria-labelledby=\"facts-h\"><h2 id=\"facts-h\">The job</h2><dl class=\"facts\">");
	if (fill_has(job, "status")) {
		buf_adds(out, "<div><dt>Status</dt><dd>");
		frame_state(out, job, "status");
		buf_adds(out, "</dd></div>");
	}
	frame_fact(out, job, "stage", "Stage", "{stage}");
	if (rec_is(rec_get(job, "status"), "processing") && fill_num(job, "progress", -1) >= 0) {
		fill(out, job, "<div><dt>Progress</dt><dd>{progress:10} %");
		frame_bar(out, 0, fill_num(job, "progress", 0) > 100 ? 100 : fill_num(job, "progress", 0), 100, "p-medium");
		buf_adds(out, "</dd></div>");
	}
	frame_fact(out, job, "pipeline", "Pipeline", "<a href=\"/ui/jobs?pipeline={%pipeline}\">{pipeline}</a>");
	frame_fact(out, job, "priority", "Priority", "{priority}");
	frame_fact(out, job, "doc_key", "Document", frame_all(p) ? "<a href=\"/ui/jobs?doc_key={%doc_key}&amp;tenant={%tenant}\">{doc_key}</a>"
	    : "<a href=\"/ui/jobs?doc_key={%doc_key}\">{doc_key}</a>");
	frame_fact(out, job, "tenant", "Tenant", "{tenant}");
	frame_fact(out, job, "attempt", "Attempt", "{attempt} of run {run}, {failures} failed");
	frame_fact(out, job, "worker", "Worker", "{worker}");
	frame_fact(out, job, "gate", "Gate", "{gate}");
	frame_fact(out, job, "callback_topic", "Result to", "{callback_topic}");
	frame_fact(out, job, "trace", "Trace", "{trace}");
	frame_when(p, job, "created_at", "Admitted");
	frame_when(p, job, "started_at", "Started");
	frame_when(p, job, "finished_at", "Finished");
	frame_when(p, job, "updated_at", "Changed");
	frame_when(p, job, "not_before", rec_is(rec_get(job, "status"), "waiting") ? "Waits until" : "Not before");
	buf_adds(out, "</dl>");
	actions(p, job);
	buf_adds(out, "</section>\n");
}

void
job_error(struct buf *out, const struct rec *error)
{
	bool retry = false;

	fill(out, error, "<p><strong class=\"bad\"><bdi>{code:80}</bdi></strong>");
	if (fill_has(error, "stage"))
		fill(out, error, " in stage <bdi>{stage:80}</bdi>");
	if (rec_bool(rec_get(error, "retry"), &retry) == 0)
		buf_adds(out, retry ? ", temporary" : ", permanent");
	fill(out, error, "</p><pre class=\"say\" tabindex=\"0\">{message:4000}</pre>");
}

/* What has ended is told by its detail: "completed at ...". */
static bool
says_itself(const struct rec *r)
{
	return fill_has(r, "detail") && (rec_is(rec_get(r, "reason"), "ended") || rec_is(rec_get(r, "reason"), "cancelled"));
}

/* Why it is where it is: every reason that holds, the first one first; and its error. */
static void
why(const struct page *p, const struct rec *history, const struct rec *job)
{
	static struct rec list, r;
	struct buf *out = p->out;

	buf_adds(out, "<section id=\"why\" class=\"card\" data-live aria-labelledby=\"why-h\"><h2 id=\"why-h\">Why it is there</h2>");
	fill_list(&list, history, "why");
	if (list.n)
		buf_adds(out, "<ul class=\"why\">");
	for (size_t i = 0; i < list.n && i < 50; i++)
		if (fill_item(&r, &list, i))
			fill(out, &r, says_itself(&r) ? "<li>{detail:1000}</li>" : "<li><b>{reason:40}</b> <bdi>{detail:1000}</bdi></li>");
	buf_adds(out, list.n ? "</ul>" : "<p class=\"empty\">Nothing holds it.</p>");
	if (fill_in(&r, job, "error"))
		job_error(out, &r);
	buf_adds(out, "</section>\n");
}

void
page_job(const struct page *p, struct page_text history, const struct page_log *logs, size_t n)
{
	static struct rec r, job;
	static struct buf title, events;
	const struct rec_member *status;

	fill_rec(&r, history);
	fill_in(&job, &r, "job");
	status = rec_get(&job, "status");
	title.len = events.len = 0;
	fill(&title, &job, "Job {job_id}");
	fill(&events, &job, "/v1/jobs/{%job_id}/events");
	if (frame_all(p))
		fill(&events, &job, "?tenant={%tenant}");
	/* One that has ended tells nothing more. */
	if (rec_is(status, "completed") || rec_is(status, "failed") || rec_is(status, "cancelled"))
		events.len = 0;
	frame_open(p, buf_str(&title), FRAME_JOBS, events.len ? buf_str(&events) : NULL);
	fill(p->out, &job, "<p class=\"crumb\"><a href=\"/ui/jobs\">Jobs</a></p><h1>Job <span class=\"id\">{job_id}</span></h1>\n<div class=\"two\">");
	facts(p, &job);
	why(p, &r, &job);
	buf_adds(p->out, "</div>");
	job_attempts(p, &r, logs, n);
	job_timeline(p, &r);
	frame_close(p);
}
