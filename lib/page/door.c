#include <string.h>

#include "esc.h"
#include "frame.h"

void
page_sign_in(const struct page *p, const char *message, const char *next)
{
	struct page out = *p;

	out.tenant = NULL;
	frame_open(&out, "Sign in", FRAME_NOWHERE, NULL);
	buf_adds(p->out, "<div class=\"door card\"><h1>Sign in</h1>");
	if (message) {
		buf_adds(p->out, "<p class=\"wrong\" role=\"alert\" id=\"wrong\">");
		esc_htmls(p->out, message);
		buf_adds(p->out, "</p>");
	}
	buf_addf(p->out, "<form class=\"stack\" method=\"post\" action=\"/session\"><label for=\"token\">Your token</label>"
	    "<input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" spellcheck=\"false\" required autofocus%s>",
	    message ? " aria-invalid=\"true\" aria-describedby=\"wrong\"" : "");
	if (next) {
		buf_adds(p->out, "<input type=\"hidden\" name=\"next\" value=\"");
		esc_html(p->out, next, strlen(next), 4000);
		buf_adds(p->out, "\">");
	}
	buf_adds(p->out, "<button class=\"first\">Sign in</button></form><p class=\"dim\">A token begins with <code>slc_</code>. "
	    "Whoever runs this Sluice makes one with <code>sluice token add</code>.</p></div>\n");
	frame_close(&out);
}

void
page_problem(const struct page *p, unsigned status, const char *title, const char *detail, const char *id, const char *back)
{
	static struct buf name;

	name.len = 0;
	esc_htmls(&name, title ? title : "Something is wrong");
	frame_open(p, buf_str(&name), FRAME_NOWHERE, NULL);
	buf_addf(p->out, "<div class=\"door card\"><h1>%s</h1><p>", buf_str(&name));
	if (detail)
		esc_html(p->out, detail, strlen(detail), 2000);
	buf_addf(p->out, "</p><p class=\"dim\">Status %u", status);
	if (id) {
		buf_adds(p->out, ", request <span class=\"id\">");
		esc_htmls(p->out, id);
		buf_adds(p->out, "</span>");
	}
	buf_adds(p->out, "</p><p>");
	if (back) {
		buf_adds(p->out, "<a href=\"");
		esc_whole(p->out, back);
		buf_addf(p->out, "\">Back to the %s</a>. If you go back in the browser, most keep what you typed.</p><p>",
		    strncmp(back, "/ui/dead/", 9) == 0 ? "dead letter" : "job");
	}
	buf_adds(p->out, "<a href=\"/\">To the overview</a></p></div>\n");
	frame_close(p);
}

const char *
page_said(const char *code)
{
	static const struct { const char *code, *text; } all[] = {
		{ "cancelled", "The job is cancelled." },
		{ "already", "It was cancelled already." },
		{ "opened", "The gate is open: the job goes on." },
		{ "retried", "The job is queued for another run." },
		{ "fed", "The letter was fed again." },
		{ "signed-in", "You are signed in." },
		{ "signed-out", "You are signed out." },
	};

	for (size_t i = 0; code && i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(code, all[i].code))
			return all[i].text;
	return NULL;
}
