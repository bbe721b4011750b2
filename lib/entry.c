#include "entry.h"

#include <stdio.h>
#include <string.h>

#include "b64.h"
#include "canon.h"
#include "json.h"
#include "request.h"
#include "result.h"

/* Not part of what was asked: who carried it, and whether it is asked again. */
static const char *const transport[] = { "kafka", "feed", "trace", "again", "error", NULL };
/* Nor are these of the document. */
static const char *const beside_doc[] = { "kafka", "feed", "trace", "again", "error", "job_id", "priority", NULL };

static void
set(struct buf *b, const char *s)
{
	b->len = 0;
	buf_adds(b, s);
	buf_str(b);
}

/* The member's string into b; empty when there is none. */
static int
get(const struct rec *r, const char *name, struct buf *b)
{
	b->len = 0;
	buf_str(b);
	if (rec_str(rec_get(r, name), b) < 0)
		return -1;
	buf_str(b);
	return 0;
}

static bool
is_object(const struct rec_member *m)
{
	return m && m->type == '{';
}

void
entry_reject(struct entry *q, const char *stage, const char *code, const char *message)
{
	q->reject = true;
	set(&q->stage, stage);
	set(&q->code, code);
	set(&q->message, message);
	q->error.len = 0;
	buf_adds(&q->error, "{\"stage\":");
	json_quotes(&q->error, stage);
	buf_adds(&q->error, ",\"code\":");
	json_quotes(&q->error, code);
	buf_adds(&q->error, ",\"message\":");
	json_quotes(&q->error, message);
	buf_adds(&q->error, ",\"retry\":false}");
	if (!q->has_original) {
		q->has_original = true;
		q->original.len = 0;
		buf_add(&q->original, q->text.p, q->text.len);
	}
}

/* A stage before us found fault: its "error" says why. */
static void
read_error(struct entry *q, const struct rec_member *m)
{
	struct rec e = REC_INIT;

	entry_reject(q, "?", "?", "no reason given");
	if (is_object(m) && rec_parse(&e, m->val, m->val_len) == REC_OK) {
		if (get(&e, "stage", &q->stage) < 0)
			set(&q->stage, "?");
		if (get(&e, "code", &q->code) < 0)
			set(&q->code, "?");
		if (get(&e, "message", &q->message) < 0)
			set(&q->message, "no reason given");
		q->error.len = 0;
		buf_add(&q->error, m->val, m->val_len);
	}
	rec_free(&e);
}

static int
read_source(struct entry *q, const struct rec_member *m)
{
	struct rec k = REC_INIT;
	struct buf raw = BUF_INIT;
	int bad = 0;

	q->has_source = q->has_key = false;
	if (!is_object(m) || rec_parse(&k, m->val, m->val_len) != REC_OK) {
		rec_free(&k);
		return m ? -1 : 0;
	}
	bad = get(&k, "cluster", &q->cluster) < 0 || get(&k, "topic", &q->topic) < 0 ||
	    rec_u64(rec_get(&k, "partition"), &q->part) < 0 || q->part > INT32_MAX ||
	    rec_u64(rec_get(&k, "offset"), &q->off) < 0 || q->off > INT64_MAX - 1;
	if (rec_u64(rec_get(&k, "prev"), &q->prev) < 0)
		q->prev = 0;            /* says nothing about a gap */
	q->key.len = 0;
	if (get(&k, "key_b64", &raw) == 0)
		q->has_key = b64_decode(&q->key, raw.p, raw.len) == 0;
	else
		q->has_key = get(&k, "key", &q->key) == 0;
	raw.len = 0;
	if (rec_str(rec_get(&k, "raw"), &raw) == 0) {
		q->original.len = 0;
		q->has_original = b64_decode(&q->original, raw.p, raw.len) == 0;
	}
	q->has_source = !bad;
	buf_free(&raw);
	rec_free(&k);
	return bad ? -1 : 0;
}

/* The bytes that the source has at this place, whatever form they came in. */
static void
digest_source(struct entry *q)
{
	const struct buf *value = q->has_original ? &q->original : &q->text;
	static struct buf all;

	all.len = 0;
	if (q->has_key)
		buf_add(&all, q->key.p, q->key.len);
	buf_addc(&all, '\0');
	buf_add(&all, value->p, value->len);
	sha256_raw(all.p, all.len, q->rec_digest);
}

static void
read_doc_key(struct entry *q)
{
	struct buf id = BUF_INIT;

	if (get(&q->rec, "doc_key", &q->doc_key) == 0 && q->doc_key.len)
		return;
	q->doc_key.len = 0;
	if (get(&q->rec, "dataset", &q->doc_key) == 0 && get(&q->rec, "id", &id) == 0) {
		buf_addc(&q->doc_key, ':');
		buf_add(&q->doc_key, id.p, id.len);
	} else {
		q->doc_key.len = 0;
		buf_add(&q->doc_key, q->job_id.p, q->job_id.len);
	}
	buf_str(&q->doc_key);
	buf_free(&id);
}

static void
read_columns(struct entry *q, const char *default_tenant)
{
	const struct rec_member *prio = rec_get(&q->rec, "priority");

	get(&q->rec, "job_id", &q->job_id);
	if (get(&q->rec, "tenant", &q->tenant) < 0 && get(&q->rec, "tenant_id", &q->tenant) < 0)
		set(&q->tenant, default_tenant);
	if (get(&q->rec, "pipeline", &q->pipeline) < 0)
		set(&q->pipeline, request_kind(&q->rec) == REQUEST_COMPUTE ? "compute" : "auto");
	get(&q->rec, "trace", &q->trace);
	read_doc_key(q);
	q->again = false;
	rec_bool(rec_get(&q->rec, "again"), &q->again);
	q->prio = PRIO_MEDIUM;
	for (int i = PRIO_HIGH; prio && i <= PRIO_LOW; i++)
		if (rec_is(prio, result_priority(i)))
			q->prio = i;
}

/* The request's bytes: the line without what was added on the way. */
static void
read_text(struct entry *q)
{
	static const struct rec_change drop[] = {
		{ "kafka", NULL, 0 }, { "feed", NULL, 0 }, { "error", NULL, 0 } };

	q->text.len = 0;
	rec_edit(&q->text, &q->rec, drop, 3);
}

void
entry_read(struct entry *q, const char *line, size_t len, const char *default_tenant)
{
	const struct rec_member *raw, *error;
	struct buf b64 = BUF_INIT;

	q->reject = q->has_original = false;
	q->line.len = 0;
	buf_add(&q->line, line, len);
	if (rec_parse(&q->rec, q->line.p, q->line.len) != REC_OK)
		return;                 /* stage_next parsed these bytes before */
	read_text(q);
	error = rec_get(&q->rec, "error");
	raw = rec_get(&q->rec, "raw");
	if (error && rec_str(raw, &b64) == 0) {
		q->original.len = 0;
		q->has_original = b64_decode(&q->original, b64.p, b64.len) == 0;
	}
	buf_free(&b64);
	if (read_source(q, rec_get(&q->rec, "kafka")) < 0)
		entry_reject(q, "admit", "bad_source", "\"kafka\" does not name cluster, topic, partition and offset");
	digest_source(q);
	read_columns(q, default_tenant);
	if (error)
		read_error(q, error);
	if (!q->reject && !request_job_id_ok(q->job_id.p, q->job_id.len))
		entry_reject(q, "admit", "bad_job_id", "\"job_id\" must be 1 to 128 of A-Za-z0-9._:-");
	if (!q->reject) {
		canon_digest(&q->rec, transport, q->digest);
		canon_digest(&q->rec, beside_doc, q->doc);
	} else if (!request_job_id_ok(q->job_id.p, q->job_id.len))
		set(&q->job_id, "");
}
