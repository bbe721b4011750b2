/* A document's event on mapping.events.v1 as the request that maps it. */
#include <string.h>

#include "b64.h"
#include "normal.h"
#include "request.h"

enum { ID_MAX = 128, KEPT = 107, DIGITS = 16 };

void
normal_event_id(struct buf *id, uint64_t run)
{
	static struct buf own;
	char sum[SHA256_HEX];

	own.len = 0;
	buf_addf(&own, "map:%s", buf_str(id));
	if (run > 1)
		buf_addf(&own, ":%llu", (unsigned long long)run);
	if (own.len > ID_MAX) {
		sha256_hex(own.p, own.len, sum);
		own.len = 4 + KEPT;
		buf_addf(&own, ".%.*s", DIGITS, sum);
	}
	id->len = 0;
	buf_add(id, own.p, own.len);
	buf_str(id);
}

/* Of a topic of events, or of none: by its members then. */
static bool
is_event(const struct rec *r)
{
	static const char *const others[] = { "text", "path", "url", "doi", "document_of", "model_id", "inputs", "item",
	    "job_request", "error", NULL };
	static struct rec kafka;
	static struct buf topic;
	const struct rec_member *k = rec_get(r, "kafka"), *stage = rec_get(r, "stage");

	if (!stage || stage->type != '"')
		return false;
	for (const char *const *name = others; *name; name++)
		if (rec_get(r, *name))
			return false;
	if (!request_has_source(r))
		return rec_is(stage, "postpdf");
	topic.len = 0;
	return k->type == '{' && rec_parse(&kafka, k->val, k->val_len) == REC_OK &&
	    rec_str(rec_get(&kafka, "topic"), &topic) == 0 && strncmp(buf_str(&topic), "mapping.", 8) == 0;
}

bool
normal_event(struct buf *out, const struct rec *r)
{
	static const char *const kept[] = { "tenant", "tenant_id", "doc_key", "priority", "trace", "feed" };
	static struct buf id;
	const struct rec_member *m = rec_get(r, "job_id");
	uint64_t run = 1;

	id.len = 0;
	if (!is_event(r) || rec_str(m, &id) < 0 || !request_job_id_ok(buf_str(&id), id.len))
		return false;
	rec_u64(rec_get(r, "run"), &run);
	buf_adds(out, "{\"job_id\":");
	buf_add(out, m->val, m->val_len);
	buf_adds(out, ",\"pipeline\":\"map\",\"document_of\":");
	buf_add(out, m->val, m->val_len);
	if (run > 1)
		buf_addf(out, ",\"document_run\":%llu", (unsigned long long)run);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		m = rec_get(r, kept[i]);
		if (m && m->type == '"') {
			buf_addf(out, ",\"%s\":", kept[i]);
			buf_add(out, m->val, m->val_len);
		}
	}
	buf_addc(out, '}');
	return true;
}
