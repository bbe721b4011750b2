#include <string.h>

#include "esc.h"
#include "filter.h"
#include "frame.h"

void
filter_find(const struct page *p, const char *id, const char *message)
{
	struct buf *out = p->out;

	buf_adds(out, "<form class=\"find\" method=\"get\" action=\"/ui/job\" role=\"search\" aria-label=\"Go to a job by its id\">"
	    "<label>Job id <input id=\"job-id\" name=\"job_id\" required autocomplete=\"off\" spellcheck=\"false\"");
	if (message)
		buf_addf(out, " aria-invalid=\"true\" aria-describedby=\"%s\"", message);
	buf_adds(out, " value=\"");
	esc_whole(out, id);
	buf_adds(out, "\"></label>");
	frame_ask(p, "of tenant", p->usual);
	buf_adds(out, "<button>Go to job</button></form>\n");
}

void
page_find(const struct page *p, const char *id, const char *message)
{
	struct buf *out = p->out;

	frame_open(p, "Go to a job", FRAME_JOBS, NULL);
	buf_adds(out, "<p class=\"crumb\"><a href=\"/ui/jobs\">Jobs</a></p><h1>Go to a job</h1>\n");
	if (message) {
		buf_adds(out, "<p class=\"wrong\" role=\"alert\" id=\"wrong\">");
		esc_html(out, message, strlen(message), 500);
		buf_adds(out, "</p>\n");
	}
	filter_find(p, id, message ? "wrong" : NULL);
	if (message)
		buf_adds(out, "<p class=\"dim\">A request that was refused is no job: it is among the <a href=\"/ui/dead\">dead letters</a>.</p>\n");
	frame_close(p);
}
