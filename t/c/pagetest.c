/* pagetest - a page of the dashboard out of JSON lines. The first says which, and for whom:
 *   {"page":"jobs","who":"t","tenant":"a","now":"2026-11-29T12:00:00Z","may":7,"said":"code","stage":"embed", and its own members}
 * The others are its rows: for "overview" the first is the stats, pipelines have "stages", the rest are workers;
 * for "job" the first is the history and the others logs {run, attempt, at, text}. "asset" prints a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "page/page.h"
#include "page/when.h"
#include "rec.h"

enum { LINES = 10000, MEMBERS = 64 };

static struct rec head;
static struct page_text line[LINES];
static size_t lines;

/* A member of the first line, kept for good; NULL if it is not there. */
static const char *
member(const char *name)
{
	static struct buf kept[MEMBERS];
	static size_t n;
	struct buf *s = &kept[n];

	if (n == MEMBERS || rec_str(rec_get(&head, name), s) < 0)
		return NULL;
	n++;
	return buf_str(s);
}

static void
read_lines(void)
{
	char *p = NULL;
	size_t cap = 0;
	ssize_t n;

	while (lines < LINES && (n = getline(&p, &cap, stdin)) > 0) {
		line[lines].len = (size_t)n - (p[n - 1] == '\n');
		line[lines].p = mem_dup(p, line[lines].len);
		lines++;
	}
	free(p);
}

static void
overview(const struct page *p)
{
	static struct rec r;
	size_t split = 2;

	if (lines < 2) {
		page_overview(p, (struct page_text){ NULL, 0 }, NULL, 0, NULL, 0);
		return;
	}
	while (split < lines && rec_parse(&r, line[split].p, line[split].len) == REC_OK && rec_get(&r, "stages"))
		split++;
	page_overview(p, line[1], line + 2, split - 2, line + split, lines - split);
}

static void
job(const struct page *p)
{
	static struct page_log logs[LINES];
	static struct rec r;
	uint64_t v;
	size_t n = 0;

	for (size_t i = 2; i < lines; i++) {
		struct buf s = BUF_INIT, at = BUF_INIT;

		if (rec_parse(&r, line[i].p, line[i].len) != REC_OK)
			continue;
		rec_str(rec_get(&r, "text"), &s);
		rec_str(rec_get(&r, "at"), &at);
		logs[n].run = rec_u64(rec_get(&r, "run"), &v) == 0 ? (unsigned)v : 0;
		logs[n].attempt = rec_u64(rec_get(&r, "attempt"), &v) == 0 ? (unsigned)v : 0;
		logs[n].at = buf_str(&at);
		logs[n].p = buf_str(&s);
		logs[n++].len = s.len;
	}
	page_job(p, lines > 1 ? line[1] : (struct page_text){ NULL, 0 }, logs, n);
}

static void
jobs(const struct page *p)
{
	struct page_filter f = { member("status"), member("pipeline"), member("f_tenant"), member("doc_key"), member("priority"),
		member("since"), member("until"), member("sort"), member("limit"), member("cursor") };
	const struct rec_member *total = rec_get(&head, "total");

	page_jobs(p, &f, line + 1, lines - 1, member("next"),
	    total ? (struct page_text){ total->val, total->val_len } : (struct page_text){ NULL, 0 });
}

static int
draw(const struct page *p, const char *name)
{
	struct page_text one = lines > 1 ? line[1] : (struct page_text){ NULL, 0 };
	uint64_t status = 500;

	if (!strcmp(name, "overview"))
		overview(p);
	else if (!strcmp(name, "jobs"))
		jobs(p);
	else if (!strcmp(name, "job"))
		job(p);
	else if (!strcmp(name, "find"))
		page_find(p, member("id"), member("message"));
	else if (!strcmp(name, "dead"))
		page_dead(p, member("kind"), member("code"), member("cursor"), line + 1, lines - 1, member("next"));
	else if (!strcmp(name, "letter"))
		page_dead_one(p, one);
	else if (!strcmp(name, "workers"))
		page_workers(p, line + 1, lines - 1);
	else if (!strcmp(name, "pipelines"))
		page_pipelines(p, line + 1, lines - 1);
	else if (!strcmp(name, "search"))
		page_search(p, member("q"), one);
	else if (!strcmp(name, "sign-in"))
		page_sign_in(p, member("message"), member("next"));
	else if (!strcmp(name, "problem"))
		page_problem(p, rec_u64(rec_get(&head, "status"), &status) == 0 ? (unsigned)status : 500, member("title"), member("detail"), member("id"),
		    member("back"));
	else
		return -1;
	return 0;
}

int
main(void)
{
	static struct buf out;
	struct page p = { .out = &out, .may = PAGE_MAY_ALL };
	const char *name, *now;
	uint64_t may;

	read_lines();
	if (!lines || rec_parse(&head, line[0].p, line[0].len) != REC_OK || !(name = member("page")))
		return 100;
	p.who = member("who");
	p.tenant = member("tenant");
	p.asked = member("asked");
	p.usual = member("usual");
	p.said = page_said(member("said"));
	p.stage = member("stage");
	now = member("now");
	p.now_us = now ? when_us(now, strlen(now)) : 0;
	if (rec_u64(rec_get(&head, "may"), &may) == 0)
		p.may = (unsigned)may;
	if (!strcmp(name, "asset")) {
		const struct page_asset *a = page_asset(member("path") ? member("path") : "");

		if (!a)
			return 1;
		fprintf(stderr, "%s %s\n", a->type, a->etag);
		return fwrite(a->p, 1, a->len, stdout) == a->len ? 0 : 111;
	}
	if (draw(&p, name) < 0)
		return 100;
	return fwrite(out.p, 1, out.len, stdout) == out.len ? 0 : 111;
}
