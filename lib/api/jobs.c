/* jobs.c - reading a job: what it is, its history, its result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lists.h"

static void
no_job(struct call *c)
{
	problem(c, 404, "no_job", "id", "there is no job of that id");
}

/* One of If-None-Match is tag, W/ or not. */
static bool
known_to_client(const struct call *c, const char *tag)
{
	const char *list = web_header(c->r, "If-None-Match");

	return list && (strcmp(list, "*") == 0 || strstr(list, tag + 2));
}

static void
got_job(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	char tag[64];

	if (st != PG_OK) {
		problem_db(c, st, db);
	} else if (pg_rows(db) == 0) {
		no_job(c);
	} else {
		snprintf(tag, sizeof(tag), "W/\"%lld-%lld-%lld\"", (long long)pg_i64(db, 0, 1), (long long)pg_i64(db, 0, 2),
		    (long long)pg_i64(db, 0, 3));
		web_add(c->r, "ETag", tag);
		if (known_to_client(c, tag))
			web_answer(c->r, 304, NULL, NULL);
		else
			answer_column(c, 200, db, 0);
	}
}

void
job_get(struct call *c)
{
	if (part_is_id(c))
		pgpool_run_short(about_call(c, api_quick, "select body, no, n, k from sluice.api_job($1, $2)", got_job));
}

static void
got_body(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (pg_rows(db) == 0 || pg_null(db, 0, 0))
		no_job(c);
	else
		answer_column(c, 200, db, 0);
}

void
job_history(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about_call(c, api_slow, "select sluice.api_history($1, $2)", got_body));
}

static void
why_no_result(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (pg_rows(db) == 0)
		no_job(c);
	else
		problem(c, 404, "no_result", "id", "the job has not ended: it has no result yet");
}

static void
got_result(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st == PG_OK && (pg_rows(db) == 0 || pg_null(db, 0, 0)))
		pgpool_run(about_call(c, api_quick, "select no from sluice.api_job($1, $2)", why_no_result));
	else
		got_body(c, st, db);
}

void
job_result(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about_call(c, api_slow, "select sluice.api_result($1, $2)", got_result));
}
