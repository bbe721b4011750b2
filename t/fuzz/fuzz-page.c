/* fuzz-page - any bytes as answers of the API, one a line, on each page of the dashboard: what comes out is UTF-8 without
 * control bytes, has the one script that it shall have, and as many elements of each kind closed as opened. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "page/page.h"

enum { ROWS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count(const struct buf *out, const char *what)
{
	size_t n = 0, len = strlen(what);

	for (const char *p = out->p; (p = memmem(p, (size_t)(out->p + out->len - p), what, len)); p += len)
		n++;
	return n;
}

static void
check(const struct buf *out)
{
	static const char *const pairs[][2] = { { "<script", "</script>" }, { "<table", "</table>" }, { "<td", "</td>" }, { "<pre", "</pre>" },
		{ "<a ", "</a>" }, { "<section", "</section>" }, { "<form", "</form>" }, { "<textarea", "</textarea>" }, { "<time", "</time>" } };
	const char *end = out->p + out->len;

	for (const char *p = out->p; p < end; ) {
		size_t n = utf8_len(p, end);

		if (!n || ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f)
			abort();
		p += n;
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (count(out, pairs[i][0]) != count(out, pairs[i][1]))
			abort();
	if (count(out, "<script") != 1 || count(out, "<html") != 1 || count(out, "</html>") != 1)
		abort();
}

static void
draw(const struct page *p, unsigned which, const struct page_text *row, size_t n, const char *word)
{
	struct page_filter f = { word, word, word, word, word, word, word, word, word, word };
	struct page_log log = { 1, 1, word, row[0].p, row[0].len };
	size_t half = n / 2;

	switch (which % 9) {
	case 0: page_overview(p, row[0], row, half, row + half, n - half); break;
	case 1: page_jobs(p, &f, row, n, word, row[0]); break;
	case 2: page_job(p, row[0], &log, 1); break;
	case 3: page_dead(p, word, word, word, row, n, word); break;
	case 4: page_dead_one(p, row[0]); break;
	case 5: page_workers(p, row, n); break;
	case 6: page_pipelines(p, row, n); break;
	case 7: page_search(p, word, row[0]); break;
	default: page_problem(p, 500, word, word, word, word);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf out;
	struct page p = { .out = &out, .tenant = "*", .may = PAGE_MAY_ALL, .now_us = INT64_C(1795986903250000) };
	struct page_text row[ROWS];
	size_t n = 0;
	char *text = malloc(size + 1), *word;   /* the rows end at the end of their memory, but for the last one's NUL */

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text; n < ROWS && at <= text + size; n++) {
		char *lf = memchr(at, '\n', (size_t)(text + size - at));

		row[n] = (struct page_text){ at, (size_t)((lf ? lf : text + size) - at) };
		at = lf ? lf + 1 : text + size + 1;
	}
	word = mem_dup(row[n - 1].p, row[n - 1].len);
	if (size && data[0] & 0x80)
		p.tenant = "lab";
	for (unsigned which = 0; which < 9; which++) {
		out.len = 0;
		draw(&p, which, row, n, word);
		check(&out);
	}
	free(word);
	free(text);
	return 0;
}
