#include "peek.h"

#include "dispatch.h"
#include "err.h"
#include "result.h"

static const char peek_sql[] = "select no, run, attempt, line, tenant, job_id, doc_key from sluice.peek($1,$2,$3,$4)";

static struct peek {
	struct pg *db;
	const char *pipeline;
	int prio;
	int64_t after;
	struct pg_args args;
	struct buf line, words[3];
} the;

static void
offer(struct feed *f, int row)
{
	struct result_job j;
	const char *base;
	size_t len;

	the.after = pg_i64(the.db, row, 0);
	base = pg_bytes(the.db, row, 3, &len);
	for (int k = 0; k < 3; k++) {
		the.words[k].len = 0;
		buf_adds(&the.words[k], pg_bytes(the.db, row, 4 + k, NULL));
		buf_str(&the.words[k]);
	}
	j = (struct result_job){ the.words[0].p, the.words[1].p, the.words[2].p, the.pipeline,
	    result_priority(the.prio), (int)pg_i64(the.db, row, 1), (int)pg_i64(the.db, row, 2), NULL };
	the.line.len = 0;
	if (!pg_null(the.db, row, 3) && result_feed_line(&the.line, base, len, &j) == 0)
		feed_put(f, (uint64_t)the.after, the.line.p, the.line.len);
}

static int
take(void *ctx, struct feed *f, size_t want)
{
	enum pg_status st;

	(void)ctx;
	pg_args_reset(&the.args);
	pg_puts(&the.args, pg_scalar(&the.args, PG_TEXT), the.pipeline);
	pg_put_i64(&the.args, pg_scalar(&the.args, PG_INT4), the.prio);
	pg_put_i64(&the.args, pg_scalar(&the.args, PG_INT8), the.after);
	pg_put_i64(&the.args, pg_scalar(&the.args, PG_INT4), (int64_t)want);
	st = pg_call_again(the.db, peek_sql, &the.args);
	if (st != PG_OK) {
		warn("%s", the.db->err);
		return pg_exit(st) == XPERM ? -100 : -1;
	}
	for (int i = 0; i < pg_rows(the.db); i++)
		offer(f, i);
	if (!pg_rows(the.db)) {
		the.prio++;
		the.after = 0;
	}
	return the.prio == DISPATCH_PRIOS;
}

static int
printed(void *ctx, uint64_t tag, const char *line, size_t len)
{
	(void)ctx, (void)tag, (void)line, (void)len;
	return 0;
}

struct feed_source
peek_source(struct pg *db, const char *pipeline)
{
	the.db = db;
	the.pipeline = pipeline;
	return (struct feed_source){ .take = take, .answer = printed };
}
