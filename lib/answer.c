#include "answer.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"

enum { OUTCOME, NO, OF, CODE };

/* One row of all. */
static bool
all_new(const struct pg *db)
{
	return pg_rows(db) == 1 && !strcmp(pg_bytes(db, 0, OUTCOME, NULL), "jobs");
}

static const char *
outcome_of(const struct pg *db, int row)
{
	return all_new(db) ? "job" : pg_bytes(db, row, OUTCOME, NULL);
}

bool
answer_new(const struct pg *db, int row)
{
	return !strcmp(outcome_of(db, row), "job");
}

static const char *const words[] = { "job", "duplicate", "conflict", "rejected", "refused" };
enum { WORDS = sizeof(words) / sizeof(*words) };

void
answer_count(struct answers *a, const struct pg *db, int row)
{
	const char *outcome = outcome_of(db, row);

	for (int i = 0; i < WORDS; i++)
		a->n[i] += !strcmp(outcome, words[i]);
}

bool
answer_told(struct buf *b, const struct answers *a)
{
	bool others = false;

	for (int i = 0; i < WORDS; i++) {
		if (a->n[i])
			buf_addf(b, " %s=%" PRIu64, words[i], a->n[i]);
		others |= i && a->n[i];
	}
	return others;
}

void
answer_row(struct buf *b, const struct pg *db, int row)
{
	b->len = 0;
	if (all_new(db)) {
		buf_adds(b, "{\"outcome\":\"job\",\"no\":");
		buf_addn(b, pg_i64(db, 0, NO) + row);
		buf_addc(b, '}');
		return;
	}
	buf_adds(b, "{\"outcome\":");
	json_quotes(b, pg_bytes(db, row, OUTCOME, NULL));
	if (!pg_null(db, row, NO))
		buf_addf(b, ",\"no\":%lld", (long long)pg_i64(db, row, NO));
	for (int col = OF; col <= CODE; col++) {
		if (pg_null(db, row, col))
			continue;
		buf_adds(b, col == OF ? ",\"of\":" : ",\"code\":");
		json_quotes(b, pg_bytes(db, row, col, NULL));
	}
	buf_addc(b, '}');
}

static void
add(struct buf *b, const char *name, const char *p, size_t len)
{
	b->len--;
	buf_addf(b, ",\"%s\":", name);
	json_quote(b, p, len);
	buf_addc(b, '}');
}

/* Where admit itself found fault. */
static const char *
own_member(const char *code)
{
	if (!strcmp(code, "bad_job_id"))
		return "/job_id";
	if (!strcmp(code, "bad_tenant") || !strcmp(code, "wrong_tenant"))
		return "/tenant";
	return strcmp(code, "bad_source") ? NULL : "/kafka";
}

static void
add_member(struct buf *b, const struct entry *q)
{
	static struct rec e;
	static struct buf member;
	const char *own = own_member(q->code.p);

	member.len = 0;
	if (rec_parse(&e, q->error.p, q->error.len) == REC_OK && entry_string(&e, "member", &member) == 0)
		add(b, "member", member.p, member.len);
	else if (own)
		add(b, "member", own, strlen(own));
}

void
answer_why(struct buf *b, const struct entry *q, const struct pg *db, int row)
{
	static struct buf text;
	const char *outcome = outcome_of(db, row);

	if (!strcmp(outcome, "rejected") && q->reject) {
		add(b, "message", q->message.p, q->message.len);
		add_member(b, q);
	} else if (!strcmp(outcome, "refused")) {
		size_t len;
		const char *of = pg_bytes(db, row, OF, &len);

		add(b, "message", of, len);
	} else if (!strcmp(outcome, "conflict")) {
		text.len = 0;
		buf_addf(&text, "job_id %s was used before for another request", q->job_id.p);
		add(b, "message", text.p, text.len);
		add(b, "member", "/job_id", 7);
	}
}

void
answer_reject(struct buf *b, const char *code, const char *message, size_t len, bool retry, const char *member)
{
	b->len = 0;
	buf_adds(b, "{\"outcome\":\"rejected\",\"code\":");
	json_quotes(b, code);
	buf_addf(b, ",\"retry\":%s}", retry ? "true" : "false");
	add(b, "message", message, len);
	if (member)
		add(b, "member", member, strlen(member));
}
