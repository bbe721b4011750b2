#include "entry.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "canon.h"
#include "check.h"
#include "json.h"
#include "request.h"
#include "result.h"

enum { KEEP = 1 << 16, KEEP_MEMBERS = 1 << 10 };

/* Not part of what was asked: who carried it, and whether it is asked again. */
static const char *const transport[] = { "kafka", "feed", "trace", "again", "error", "supersedes", NULL };
/* Nor are these of the document. */
static const char *const beside_doc[] = { "kafka", "feed", "trace", "again", "error", "supersedes",
	"job_id", "priority", "callback_topic", NULL };

static void
set(struct buf *b, const char *s)
{
	b->len = 0;
	buf_adds(b, s);
	buf_str(b);
}

int
entry_string(const struct rec *r, const char *name, struct buf *b)
{
	int rc;

	b->len = 0;
	rc = rec_str(rec_get(r, name), b);
	buf_str(b);
	return rc;
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
	static struct rec e;

	entry_reject(q, "?", "?", "no reason given");
	if (m->type != '{' || rec_parse(&e, m->val, m->val_len) != REC_OK)
		return;
	if (entry_string(&e, "stage", &q->stage) < 0)
		set(&q->stage, "?");
	if (entry_string(&e, "code", &q->code) < 0)
		set(&q->code, "?");
	if (entry_string(&e, "message", &q->message) < 0)
		set(&q->message, "no reason given");
	q->error.len = 0;
	buf_add(&q->error, m->val, m->val_len);
}

/* The request's bytes: the line without what was added on the way. */
static void
read_text(struct entry *q)
{
	static const struct rec_change drop[] = {
		{ "kafka", NULL, 0 }, { "feed", NULL, 0 }, { "error", NULL, 0 }, { "supersedes", NULL, 0 } };

	q->text.len = 0;
	rec_edit(&q->text, &q->rec, drop, sizeof(drop) / sizeof(*drop));
}

static void
read_mends(struct entry *q, const struct rec_member *m)
{
	static struct rec s;

	q->mends = q->force = false;
	if (q->has_source || !m || m->type != '{' || rec_parse(&s, m->val, m->val_len) != REC_OK ||
	    rec_u64(rec_get(&s, "dead"), &q->dead) < 0 || q->dead > INT64_MAX)
		return;
	q->mends = true;
	rec_bool(rec_get(&s, "force"), &q->force);
}

void
entry_read(struct entry *q, const char *line, size_t len)
{
	const struct rec_member *error;

	q->reject = q->has_original = q->has_source = false;
	q->line.len = 0;
	buf_add(&q->line, line, len);
	if (rec_parse(&q->rec, q->line.p, q->line.len) != REC_OK)
		return;                 /* stage_next parsed these bytes before */
	read_text(q);
	error = rec_get(&q->rec, "error");
	if (entry_source(q, rec_get(&q->rec, "kafka")) < 0)
		entry_reject(q, "admit", "bad_source", "\"kafka\" does not name cluster, topic, partition and offset");
	entry_digest(q);
	read_mends(q, rec_get(&q->rec, "supersedes"));
	if (error)
		read_error(q, error);
}

static void
read_doc_key(struct entry *q)
{
	static struct buf id;

	if (entry_string(&q->rec, "doc_key", &q->doc_key) == 0 && q->doc_key.len)
		return;
	if (entry_string(&q->rec, "dataset", &q->doc_key) == 0 && entry_string(&q->rec, "id", &id) == 0) {
		buf_addc(&q->doc_key, ':');
		buf_add(&q->doc_key, id.p, id.len);
	} else {
		q->doc_key.len = 0;
		buf_add(&q->doc_key, q->job_id.p, q->job_id.len);
	}
	buf_str(&q->doc_key);
}

static void
read_prio(struct entry *q, enum request_kind kind)
{
	const struct rec_member *prio = rec_get(&q->rec, "priority");
	static const int older[] = { PRIO_LOW, PRIO_MEDIUM, PRIO_HIGH };
	static struct buf v;

	q->prio = PRIO_MEDIUM;
	for (int i = PRIO_HIGH; prio && i <= PRIO_LOW; i++)
		if (rec_is(prio, result_priority(i)))
			q->prio = i;
	if (!prio && kind == REQUEST_DOCUMENT && entry_header(q, "x-priority", &v) == 0 &&
	    v.len == 1 && v.p[0] >= '0' && v.p[0] <= '2')
		q->prio = older[v.p[0] - '0'];
}

static bool
pipeline_there(const char *folder, const char *name)
{
	static struct buf path;

	path.len = 0;
	buf_addf(&path, "%s/%s", folder, name);
	return access(buf_str(&path), X_OK) == 0;
}

/* Nothing but the adapters can find a document by its DOI. */
static bool
only_doi(const struct rec *r)
{
	return rec_get(r, "doi") && !rec_get(r, "text") && !rec_get(r, "path") && !rec_get(r, "url");
}

/* Requests that name no pipeline: their topic's, or by what they are. */
static void
read_pipeline(struct entry *q, const struct entry_said *said, enum request_kind kind)
{
	const char *name = "auto";

	if (entry_string(&q->rec, "pipeline", &q->pipeline) == 0) {
		if (!strcmp(q->pipeline.p, "adapter-chain"))
			set(&q->pipeline, "adapters");
		return;
	}
	if (said->pipeline)
		name = said->pipeline;
	else if (kind == REQUEST_COMPUTE)
		name = "compute";
	else if (said->pipelines && rec_get(&q->rec, "adapter_chain") && pipeline_there(said->pipelines, "adapters"))
		name = "adapters";
	else if (said->pipelines && rec_is(rec_get(&q->rec, "document_type"), "pdf") &&
	    pipeline_there(said->pipelines, "two-phase"))
		name = "two-phase";
	else if (said->pipelines && only_doi(&q->rec) && pipeline_there(said->pipelines, "adapters"))
		name = "adapters";
	set(&q->pipeline, name);
}

/* Whose it is: never by what the requester says of itself where the topic says it. */
static void
read_tenant(struct entry *q, const struct entry_said *said)
{
	static struct buf what;

	q->tenant_named = entry_string(&q->rec, "tenant", &q->tenant) == 0 ||
	    entry_string(&q->rec, "tenant_id", &q->tenant) == 0;
	if (q->tenant_named && !request_tenant_ok(q->tenant.p, q->tenant.len)) {
		if (!q->reject)
			entry_reject(q, "admit", "bad_tenant", "\"tenant\" must be 1 to 64 of A-Za-z0-9._-");
		q->tenant_named = false;
	}
	if (!said->tenant) {
		if (!q->tenant_named)
			set(&q->tenant, said->default_tenant);
		return;
	}
	if (q->tenant_named && strcmp(q->tenant.p, said->tenant) != 0 && !q->reject) {
		what.len = 0;
		buf_addf(&what, "requests on %s are of tenant %s, this one names another", q->topic.p, said->tenant);
		entry_reject(q, "admit", "wrong_tenant", buf_str(&what));
	}
	set(&q->tenant, said->tenant);
}

void
entry_columns(struct entry *q, const struct entry_said *said)
{
	enum request_kind kind = request_kind(&q->rec);

	entry_string(&q->rec, "job_id", &q->job_id);
	entry_event(q);
	read_tenant(q, said);
	read_pipeline(q, said, kind);
	if (entry_string(&q->rec, "trace", &q->trace) < 0 && entry_header(q, "traceparent", &q->trace) == 0 &&
	    !check_trace(q->trace.p, q->trace.len))
		q->trace.len = 0;
	entry_string(&q->rec, "callback_topic", &q->callback);
	read_doc_key(q);
	q->again = false;
	rec_bool(rec_get(&q->rec, "again"), &q->again);
	read_prio(q, kind);
	if (!q->reject && said->kind && strcmp(said->kind, request_kind_name(kind)) != 0)
		entry_reject(q, "admit", "wrong_kind", kind == REQUEST_COMPUTE ?
		    "this topic carries documents, the request is a computation" :
		    "this topic carries computations, the request is a document");
	if (!q->reject && !request_job_id_ok(q->job_id.p, q->job_id.len))
		entry_reject(q, "admit", "bad_job_id", "\"job_id\" must be 1 to 128 of A-Za-z0-9._:-");
	if (!q->reject) {
		canon_digest(&q->rec, transport, q->digest);
		canon_digest(&q->rec, beside_doc, q->doc);
	} else if (!request_job_id_ok(q->job_id.p, q->job_id.len))
		set(&q->job_id, "");
}

void
entry_done(struct entry *q)
{
	struct buf *const all[] = { &q->line, &q->tenant, &q->job_id, &q->doc_key, &q->pipeline, &q->trace, &q->callback,
	    &q->text, &q->original, &q->cluster, &q->topic, &q->key, &q->headers, &q->blob, &q->stage, &q->code, &q->message,
	    &q->error };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i]->cap > KEEP)
			buf_free(all[i]);
	if (q->rec.cap > KEEP_MEMBERS)
		rec_free(&q->rec);
}
