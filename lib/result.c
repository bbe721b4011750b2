#include "result.h"

#include <string.h>

#include "json.h"
#include "ndjson.h"

enum { FEED_ROOM = 8192 };      /* for the envelope of the next feeding */

/* Members that are set at each feeding or carry the feeding itself. */
static const char *const envelope[] = { "job_id", "tenant", "tenant_id", "doc_key", "pipeline", "priority", "attempt", "run",
    "trace", "feed", "error", "wait", "gates", NULL };
/* What a result does not repeat: the document itself. */
static const char *const bulky[] = { "text", "content", "layout", NULL };

const char *
result_priority(int prio)
{
	static const char *const names[] = { "High", "Medium", "Low" };

	return names[prio];
}

static void
add_name(struct buf *out, const struct rec_member *m)
{
	buf_addc(out, '"');
	buf_add(out, m->key, m->key_len);
	buf_adds(out, "\":");
}

int
result_feed(struct result_feed *f, const char *base, size_t len, const struct result_job *j)
{
	static struct rec r;
	static struct buf v;
	const char *vals[] = { j->job_id, j->tenant, j->doc_key, j->pipeline, j->priority };
	static const char *const names[] = { "job_id", "tenant", "doc_key", "pipeline", "priority", "run", "attempt" };
	size_t at[8];

	if (rec_parse(&r, base, len) != REC_OK)
		return -1;
	v.len = 0;
	for (int i = 0; i < 5; i++) {
		at[i] = v.len;
		json_quotes(&v, vals[i]);
	}
	at[5] = v.len;
	buf_addn(&v, j->run);
	at[6] = v.len;
	buf_addn(&v, j->attempt);
	at[7] = v.len;
	f->base = &r;
	for (int i = 0; i < 7; i++)
		f->c[i] = (struct rec_change){ names[i], v.p + at[i], at[i + 1] - at[i] };
	f->c[7] = (struct rec_change){ "error", NULL, 0 };
	f->c[8] = (struct rec_change){ "wait", NULL, 0 };
	f->c[9] = (struct rec_change){ "gates", j->gates, j->gates ? strlen(j->gates) : 0 };
	return 0;
}

int
result_feed_line(struct buf *out, const char *base, size_t len, const struct result_job *j)
{
	struct result_feed f;

	if (result_feed(&f, base, len, j) < 0)
		return -1;
	rec_edit(out, f.base, f.c, RESULT_CHANGES);
	return 0;
}

int
result_keep(struct buf *out, const struct buf *request, const struct rec *answer)
{
	static struct rec r;
	static struct rec_names asked;
	size_t from = out->len;
	const char *close = request->p + request->len;
	bool first;

	if (rec_parse(&r, request->p, request->len) != REC_OK)
		return -1;
	rec_names(&asked, &r);
	first = !r.n;
	while (*--close != '}')
		;
	buf_add(out, request->p, (size_t)(close - request->p));
	for (size_t i = 0; i < answer->n; i++) {
		const struct rec_member *m = &answer->m[i];

		if (rec_names_have(&asked, m) || rec_among(m, envelope))
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		add_name(out, m);
		buf_add(out, m->val, m->val_len);
	}
	buf_addc(out, '}');
	if (out->len - from > RECORD_MAX - FEED_ROOM)
		out->len = from;
	return 0;
}

/* "chunks" that were folded without a ledger hold every vector in "items",
 * "parsed" without a folder for blobs every block. */
static void
add_value(struct buf *out, const struct rec_member *m)
{
	static const struct rec_change drop[] = { { "items", NULL, 0 }, { "blocks", NULL, 0 } };
	static struct rec value;
	bool parsed = rec_named(m, "parsed");
	const struct rec_member *blocks;

	if (m->type != '{' || (!parsed && !rec_named(m, "chunks")) || rec_parse(&value, m->val, m->val_len) != REC_OK)
		buf_add(out, m->val, m->val_len);
	else if (!parsed)
		rec_edit(out, &value, &drop[0], 1);
	else if ((blocks = rec_get(&value, "blocks")) && blocks->type == '[')
		rec_edit(out, &value, &drop[1], 1);
	else
		buf_add(out, m->val, m->val_len);
}

/* Where the members of the request end in the answer, which begins with them as they are if no stage has changed them;
 * NULL: it does not. */
static const char *
end_of_request(const struct buf *request, const struct rec *answer)
{
	size_t n = request->len;

	while (n && request->p[n - 1] != '}')
		n--;
	return n > 1 && n <= answer->len && !memcmp(answer->p, request->p, n - 1) ? answer->p + n - 1 : NULL;
}

static void
add_result(struct buf *out, const struct buf *request, const struct rec *answer)
{
	static struct rec r;
	static struct rec_names asked;
	const char *end = end_of_request(request, answer);
	char sep = '{';

	if (!end && rec_parse(&r, request->p, request->len) != REC_OK)
		return;
	if (!end)
		rec_names(&asked, &r);
	buf_adds(out, ",\"result\":");
	for (size_t i = 0; i < answer->n; i++) {
		const struct rec_member *m = &answer->m[i];

		if ((end ? m->key < end : rec_names_have(&asked, m)) || rec_among(m, envelope) || rec_among(m, bulky))
			continue;
		buf_addc(out, sep);
		add_name(out, m);
		add_value(out, m);
		sep = ',';
	}
	buf_adds(out, sep == '{' ? "{}" : "}");
}

void
result_message(struct buf *out, const struct result_job *j, const char *status,
    const struct buf *error, const struct buf *request, const struct rec *answer)
{
	const char *vals[] = { j->job_id, j->tenant, j->doc_key, j->pipeline };
	static const char *const names[] = { "{\"job_id\":", ",\"tenant\":", ",\"doc_key\":", ",\"pipeline\":" };

	for (int i = 0; i < 4; i++) {
		buf_adds(out, names[i]);
		json_quotes(out, vals[i]);
	}
	buf_adds(out, ",\"run\":");
	buf_addn(out, j->run);
	buf_adds(out, ",\"attempt\":");
	buf_addn(out, j->attempt);
	buf_adds(out, ",\"status\":");
	json_quotes(out, status);
	if (error && error->len) {
		buf_adds(out, ",\"error\":");
		buf_add(out, error->p, error->len);
	}
	if (answer && request)
		add_result(out, request, answer);
}
