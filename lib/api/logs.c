/* logs.c - what a job's stages said on stderr. */
#include <string.h>

#include "api/lists.h"
#include "json.h"
#include "logline.h"

/* A row, and its lines that were asked for. */
struct said {
	int64_t run, attempt;
	const char *at, *log, *known;
	size_t len;
	struct buf text;
};

static bool
read_row(struct said *s, const struct pg *db, int row, const char *stage)
{
	struct logline l;

	s->run = pg_i64(db, row, 0);
	s->attempt = pg_i64(db, row, 1);
	s->at = pg_bytes(db, row, 2, NULL);
	s->log = pg_bytes(db, row, 3, &s->len);
	s->known = pg_null(db, row, 4) ? NULL : pg_bytes(db, row, 4, NULL);
	s->text.len = 0;
	for (size_t at = 0; logline_next(&l, s->log, s->len, &at, s->known); )
		if (logline_is(&l, stage))
			buf_add(&s->text, l.p, l.len);
	return s->text.len || !stage;
}

/* Empty lines say nothing, and there may be tens of thousands of them. */
static void
lines_json(struct buf *out, const struct said *s)
{
	struct logline l;
	bool first = true;

	for (size_t at = 0; logline_next(&l, s->text.p, s->text.len, &at, s->known); ) {
		size_t len = l.len - (l.p[l.len - 1] == '\n');

		if (!len)
			continue;
		buf_adds(out, first ? "{" : ",{");
		first = false;
		if (l.name) {
			buf_adds(out, "\"stage\":");
			json_quote(out, l.p, l.name);
			buf_addc(out, ',');
		}
		buf_adds(out, "\"text\":");
		json_quote(out, l.p, len);
		buf_addc(out, '}');
	}
}

static void
logs_json(struct buf *out, struct said *s, const struct pg *db, const char *stage)
{
	const char *comma = "";

	buf_adds(out, "{\"logs\":[");
	for (int i = 0; i < pg_rows(db); i++) {
		if (!read_row(s, db, i, stage))
			continue;
		buf_addf(out, "%s{\"run\":%lld,\"attempt\":%lld,\"at\":", comma, (long long)s->run, (long long)s->attempt);
		json_quotes(out, s->at);
		buf_addf(out, ",\"bytes\":%zu,\"text\":", s->text.len);
		json_quote(out, buf_str(&s->text), s->text.len);
		buf_adds(out, ",\"lines\":[");
		lines_json(out, s);
		buf_adds(out, "]}");
		comma = ",";
	}
	buf_adds(out, "]}");
}

static void
logs_text(struct buf *out, struct said *s, const struct pg *db, const char *stage)
{
	for (int i = 0; i < pg_rows(db); i++) {
		if (!read_row(s, db, i, stage))
			continue;
		buf_addf(out, "== run %lld, attempt %lld, %s\n", (long long)s->run, (long long)s->attempt, s->at);
		buf_add(out, buf_str(&s->text), s->text.len);
		if (s->text.len && s->text.p[s->text.len - 1] != '\n')
			buf_addc(out, '\n');
	}
}

static void
got_logs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const char *accept = web_header(c->r, "Accept"), *stage = web_param(c->r, "stage");
	bool text = accept && strncmp(accept, "text/plain", 10) == 0;
	struct said s = { .text = BUF_INIT };

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	web_add(c->r, "Vary", "Accept");
	if (text)
		logs_text(&c->out, &s, db, stage);
	else
		logs_json(&c->out, &s, db, stage);
	buf_free(&s.text);
	web_answer(c->r, 200, text ? "text/plain; charset=utf-8" : "application/json", &c->out);
}

static void
exists(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (pg_rows(db) == 0)
		problem(c, 404, "no_job", "id", "there is no job of that id");
	else
		pgpool_run(logs_call(c, got_logs));
}

static bool
stage_good(struct call *c)
{
	const char *stage = web_param(c->r, "stage");
	size_t n = stage ? strlen(stage) : 1;

	for (const char *p = stage; p && *p; p++)
		if (*p <= ' ' || *p > '~')
			n = 0;
	if (n && n <= LOGLINE_NAME)
		return true;
	problem(c, 400, "bad_parameter", "stage", "stage must be a stage's name, 1 to %d bytes of ASCII without blanks, or " LOGLINE_OTHER, LOGLINE_NAME);
	return false;
}

void
job_logs(struct call *c)
{
	if (part_is_id(c) && param_number(c, "attempt", 0, 1, INT32_MAX, &c->number) == 0 && stage_good(c))
		pgpool_run(about_call(c, api_quick, "select no from sluice.api_job($1, $2)", exists));
}
