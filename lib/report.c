#include "report.h"

#include <string.h>

#include "json.h"

enum { NO = 1, N, STAGE, PERCENT, TEXT };

static const char add_sql[] = "select sluice.progress_add($1,$2,$3,$4,$5,$6)";
static const char stages_sql[] = "select sluice.pipeline_stages($1,$2)";

/* What stages say may be anything; the ledger takes text. */
static void
put_text(struct pg_args *args, int column, const char *s)
{
	static struct buf clean;
	const char *end = s + strlen(s);
	size_t n;

	clean.len = 0;
	for (; s < end; s += n ? n : 1)
		if ((n = utf8_len(s, end)) > 1 || (n == 1 && *s >= ' ' && *s != 127))
			buf_add(&clean, s, n);
		else
			buf_addc(&clean, '?');
	pg_put(args, column, clean.p, clean.len);
}

static void
add(void *ctx, const struct feed_progress *p)
{
	struct report *r = ctx;
	const struct flight *f = &r->flights->f[p->tag];

	r->n++;
	pg_put_i64(&r->args, NO, f->no);
	pg_put_i64(&r->args, N, f->n);
	put_text(&r->args, STAGE, p->stage);
	pg_put_i64(&r->args, PERCENT, p->percent);
	if (p->text)
		put_text(&r->args, TEXT, p->text);
	else
		pg_put_null(&r->args, TEXT);
}

static enum pg_status
tell_stages(struct report *r, struct feed *feed)
{
	const struct lease *l = r->flights->lease;
	const char *names[FEED_STAGES_MAX];
	size_t n = feed_stages(feed, names);
	int a;

	if (!n)
		return PG_OK;
	pg_args_reset(&r->args);
	pg_puts(&r->args, pg_scalar(&r->args, PG_TEXT), l->pipeline);
	a = pg_array(&r->args, PG_TEXT);
	for (size_t i = 0; i < n; i++)
		put_text(&r->args, a, names[i]);
	return pg_call_again(l->db, stages_sql, &r->args);
}

enum pg_status
report_tick(struct report *r, struct feed *feed, int64_t now)
{
	static const enum pg_type types[] = { PG_INT8, PG_INT4, PG_TEXT, PG_INT4, PG_TEXT };
	const struct lease *l = r->flights->lease;
	enum pg_status st;

	if (now < r->at)
		return PG_OK;
	r->at = now + REPORT_MS;
	st = tell_stages(r, feed);
	if (st != PG_OK)
		return st;
	pg_args_reset(&r->args);
	pg_put_i64(&r->args, pg_scalar(&r->args, PG_INT8), l->worker);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		pg_array(&r->args, types[i]);
	r->n = 0;
	feed_progress(feed, REPORT_MS, add, r);
	return r->n ? pg_call_again(l->db, add_sql, &r->args) : PG_OK;
}
