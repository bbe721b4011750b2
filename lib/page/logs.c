#include <string.h>

#include "esc.h"
#include "job.h"
#include "logline.h"

enum {
	LOG_MOST = 65 << 10,    /* what the ledger keeps of one, with the line that says what it left out */
	STAGES = 24             /* most that the filter offers; what a hostile log has more is not */
};

struct said {
	const char *name;       /* in the log; NULL: of no known stage */
	size_t len, lines;
};

static void
count_lines(struct buf *out, size_t n)
{
	fill_count(out, (double)n);
	buf_adds(out, n == 1 ? " line" : " lines");
}

/* Who said how many lines, in the order of their first; the first two are all and those of nobody known. */
static size_t
tally(struct said s[STAGES + 2], const struct page_log *logs, size_t n, const char *known)
{
	struct logline l;
	size_t have = 2, k;

	memset(s, 0, 2 * sizeof(*s));
	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; logline_next(&l, logs[i].p, logs[i].len, &at, known); ) {
			s[0].lines++;
			if (!l.name) {
				s[1].lines++;
				continue;
			}
			for (k = 2; k < have && (s[k].len != l.name || memcmp(s[k].name, l.p, l.name) != 0); )
				k++;
			if (k == STAGES + 2)
				continue;
			if (k == have)
				s[have++] = (struct said){ l.p, l.name, 0 };
			s[k].lines++;
		}
	return have;
}

/* One choice of the filter. stage NULL: all of them. */
static void
choice(const struct page *p, const struct rec *job, const char *stage, size_t len, const char *label, size_t lines)
{
	struct buf *out = p->out;
	bool here = stage ? p->stage && strlen(p->stage) == len && memcmp(p->stage, stage, len) == 0 : !p->stage;

	fill(out, job, "<li><a href=\"/ui/jobs/{%job_id}");
	frame_tenant(p, job);
	if (stage) {
		buf_adds(out, frame_all(p) && fill_has(job, "tenant") ? "&amp;stage=" : "?stage=");
		esc_url(out, stage, len);
	}
	buf_addf(out, "#attempts\"%s>", here ? " aria-current=\"true\"" : "");
	if (label)
		buf_adds(out, label);
	else
		esc_html(out, stage, len, LOGLINE_NAME);
	buf_adds(out, "</a> <span class=\"dim\">");
	count_lines(out, lines);
	buf_adds(out, "</span></li>");
}

void
job_log_stages(const struct page *p, const struct rec *job, const struct page_log *logs, size_t n, const char *known)
{
	struct said s[STAGES + 2];
	size_t have = tally(s, logs, n, known);
	bool chosen = !p->stage || strcmp(p->stage, LOGLINE_OTHER) == 0;

	if (!p->stage && (have == 2 || (have == 3 && !s[1].lines)))
		return;         /* nothing to choose between */
	buf_adds(p->out, "<nav class=\"stages\" aria-label=\"Logs by stage\"><ul>");
	choice(p, job, NULL, 0, "All stages", s[0].lines);
	for (size_t i = 2; i < have; i++) {
		choice(p, job, s[i].name, s[i].len, NULL, s[i].lines);
		chosen |= p->stage && strlen(p->stage) == s[i].len && memcmp(p->stage, s[i].name, s[i].len) == 0;
	}
	if (!chosen)
		choice(p, job, p->stage, strlen(p->stage), NULL, 0);
	if (s[1].lines || (p->stage && strcmp(p->stage, LOGLINE_OTHER) == 0))
		choice(p, job, LOGLINE_OTHER, strlen(LOGLINE_OTHER), "other", s[1].lines);
	buf_adds(p->out, "</ul></nav>\n");
}

/* What is shown of a log, and how many lines that is. */
static size_t
pick(struct buf *text, const struct page *p, const struct page_log *log, const char *known)
{
	struct logline l;
	size_t lines = 0;

	text->len = 0;
	for (size_t at = 0; logline_next(&l, log->p, log->len, &at, known); )
		if (logline_is(&l, p->stage)) {
			buf_add(text, l.p, l.len);
			lines++;
		}
	return lines;
}

/* Who said it, as a name in a sentence. */
static void
speaker(const struct page *p)
{
	if (!p->stage) {
		buf_adds(p->out, "its stages");
	} else if (strcmp(p->stage, LOGLINE_OTHER) == 0) {
		buf_adds(p->out, "no known stage");
	} else {
		buf_adds(p->out, "<bdi>");
		esc_html(p->out, p->stage, strlen(p->stage), LOGLINE_NAME);
		buf_adds(p->out, "</bdi>");
	}
}

void
job_log(const struct page *p, const struct page_log *log, size_t at, bool last, const char *known)
{
	static struct buf text;
	struct buf *out = p->out;
	size_t lines = pick(&text, p, log, known), from = text.len > LOG_MOST ? text.len - LOG_MOST : 0;

	if (!lines) {
		buf_adds(out, "<p class=\"dim\">Here is nothing that ");
		speaker(p);
		buf_adds(out, " said.</p>");
		return;
	}
	buf_addf(out, "<details id=\"log-%zu\"%s><summary>What ", at, last || p->stage ? " open" : "");
	speaker(p);
	buf_adds(out, " said, ");
	count_lines(out, lines);
	buf_adds(out, "</summary><pre class=\"say\" tabindex=\"0\">");
	if (from)
		buf_adds(out, "[the end of it]\n");
	esc_html(out, text.p + from, text.len - from, LOG_MOST);
	buf_adds(out, "</pre></details>");
}

void
job_stages_known(struct buf *names, const struct rec *history)
{
	static struct rec list, one, in;

	names->len = 0;
	fill_list(&list, history, "attempts");
	for (size_t i = 0; i < list.n; i++) {
		if (!fill_item(&one, &list, i) || !fill_in(&in, &one, "timings"))
			continue;
		for (size_t k = 0; k < in.n && k < 64; k++)
			if (in.m[k].key_len <= LOGLINE_NAME && !memchr(in.m[k].key, ' ', in.m[k].key_len)) {
				buf_add(names, in.m[k].key, in.m[k].key_len);
				buf_addc(names, ' ');
			}
	}
	buf_str(names);
}
