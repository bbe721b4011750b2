/* jobs.c - reading jobs: one, many, its history, result and logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lists.h"
#include "json.h"

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

static void
logs_json(struct buf *out, const struct pg *db)
{
	buf_adds(out, "{\"logs\":[");
	for (int i = 0; i < pg_rows(db); i++) {
		size_t len;
		const char *log = pg_bytes(db, i, 3, &len);

		buf_addf(out, "%s{\"run\":%lld,\"attempt\":%lld,\"at\":", i ? "," : "", (long long)pg_i64(db, i, 0),
		    (long long)pg_i64(db, i, 1));
		json_quotes(out, pg_bytes(db, i, 2, NULL));
		buf_addf(out, ",\"bytes\":%zu,\"text\":", len);
		json_quote(out, log, len);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

static void
logs_text(struct buf *out, const struct pg *db)
{
	for (int i = 0; i < pg_rows(db); i++) {
		size_t len;
		const char *log = pg_bytes(db, i, 3, &len);

		buf_addf(out, "== run %lld, attempt %lld, %s\n", (long long)pg_i64(db, i, 0), (long long)pg_i64(db, i, 1),
		    pg_bytes(db, i, 2, NULL));
		buf_add(out, log, len);
		if (len && log[len - 1] != '\n')
			buf_addc(out, '\n');
	}
}

static void
got_logs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const char *accept = web_header(c->r, "Accept");
	bool text = accept && strncmp(accept, "text/plain", 10) == 0;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	web_add(c->r, "Vary", "Accept");
	if (text)
		logs_text(&c->out, db);
	else
		logs_json(&c->out, db);
	web_answer(c->r, 200, text ? "text/plain; charset=utf-8" : "application/json", &c->out);
}

static void
exists(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK) {
		problem_db(c, st, db);
	} else if (pg_rows(db) == 0) {
		no_job(c);
	} else {
		pgpool_run(logs_call(c, got_logs));
	}
}

void
job_logs(struct call *c)
{
	if (part_is_id(c) && param_number(c, "attempt", 0, 1, INT32_MAX, &c->number) == 0)
		pgpool_run(about_call(c, api_quick, "select no from sluice.api_job($1, $2)", exists));
}
