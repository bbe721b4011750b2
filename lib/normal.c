#include "normal.h"

#include <string.h>

#include "b64.h"
#include "jobtype.h"
#include "json.h"
#include "request.h"

/* Names that are given before whatever else is copied; the first one counts. */
static const char *const job_names[] = { "job_id", "model_id", "inputs", "priority", "priority_was",
	"requester", "max_price", "callback_topic", "job_type", "data", "callback_url", NULL };
/* Parts of the envelope that are taken apart. */
static const char *const envelope_parts[] = { "job_request", "client_id", "kafka", NULL };
static const char *const inner_parts[] = { "max_cost", NULL };

static const struct rec_member *
there(const struct rec_member *m)
{
	return m && m->type != 'n' ? m : NULL;
}

static void
name(struct buf *out, size_t from, const char *s)
{
	buf_addf(out, "%c\"%s\":", out->len == from ? '{' : ',', s);
}

static void
put(struct buf *out, size_t from, const char *s, const struct rec_member *m)
{
	if (!m)
		return;
	name(out, from, s);
	buf_add(out, m->val, m->val_len);
}

/* Members of r that have no place yet and that taken has not either. */
static void
put_rest(struct buf *out, size_t from, const struct rec *r, const char *const *parts,
    const char *const *known, const struct rec_names *taken)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct rec_member *m = &r->m[i];

		if (m->type == 'n' || rec_among(m, parts) || rec_among(m, known) || (taken && rec_names_have(taken, m)))
			continue;
		buf_adds(out, out->len == from ? "{\"" : ",\"");
		buf_add(out, m->key, m->key_len);
		buf_adds(out, "\":");
		buf_add(out, m->val, m->val_len);
	}
}

/* An array of bytes as numbers, in base64. False when it is something else. */
static bool
bytes(struct buf *out, const struct rec_member *m)
{
	static struct rec items;
	static struct buf plain;
	uint64_t v;

	if (!m || m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK)
		return false;
	plain.len = 0;
	for (size_t i = 0; i < items.n; i++) {
		if (rec_u64(&items.m[i], &v) < 0 || v > 255)
			return false;
		buf_addc(&plain, (char)v);
	}
	buf_addc(out, '"');
	b64_encode(out, plain.p, plain.len);
	buf_addc(out, '"');
	return true;
}

static void
put_priority(struct buf *out, size_t from, const struct rec *r, const struct rec *inner)
{
	const struct rec_member *outer = there(rec_get(r, "priority"));
	const struct rec_member *m = outer ? outer : there(rec_get(inner, "priority"));
	const char *word = jobtype_priority(m, outer != NULL);

	if (!word) {
		put(out, from, "priority", m);
		return;
	}
	name(out, from, "priority");
	json_quotes(out, word);
	put(out, from, "priority_was", m);
}

static void
put_inputs(struct buf *out, size_t from, const struct rec_member *m)
{
	name(out, from, "inputs");
	if (m && m->type == '[') {
		buf_add(out, m->val, m->val_len);
		return;
	}
	buf_addc(out, '[');
	if (m)
		buf_add(out, m->val, m->val_len);
	buf_addc(out, ']');
}

/* What the job type says about the model and its inputs. */
static void
put_model(struct buf *out, size_t from, const struct rec *r, const struct rec_member *job_type)
{
	static struct rec outer, inner;
	const struct rec_member *model = there(rec_get(r, "model_id")), *inputs = there(rec_get(r, "inputs"));
	const struct jobtype *t = NULL;

	if (job_type && job_type->type == '{' && rec_parse(&outer, job_type->val, job_type->val_len) == REC_OK && outer.n == 1)
		t = jobtype_of(&outer.m[0]);
	inner.n = 0;
	if (t && (outer.m[0].type != '{' || rec_parse(&inner, outer.m[0].val, outer.m[0].val_len) != REC_OK))
		inner.n = 0;
	if (!model && t && t->model)
		model = there(rec_get(&inner, t->model));
	if (!inputs && t && t->inputs)
		inputs = there(rec_get(&inner, t->inputs));
	if (model) {
		put(out, from, "model_id", model);
	} else if (t) {
		name(out, from, "model_id");
		json_quotes(out, t->word);
	}
	put_inputs(out, from, inputs);
}

static void
put_job(struct buf *out, const struct rec *r, const struct rec *inner)
{
	static struct rec_names names;
	size_t from = out->len;
	const struct rec_member *m;

	put(out, from, "job_id", there(rec_get(r, "job_id")));
	put_model(out, from, r, there(rec_get(inner, "job_type")));
	put_priority(out, from, r, inner);
	m = there(rec_get(r, "requester"));
	m = m ? m : there(rec_get(r, "client_id"));
	put(out, from, "requester", m ? m : there(rec_get(inner, "client_address")));
	m = there(rec_get(inner, "max_cost"));
	put(out, from, "max_price", m ? m : there(rec_get(r, "max_price")));
	m = there(rec_get(r, "callback_topic"));
	if (m) {
		put(out, from, "callback_topic", m);
	} else {
		name(out, from, "callback_topic");
		buf_adds(out, "\"ingest.results.v1\"");
	}
	/* An older request without a type is still an older request. */
	m = rec_get(inner, "job_type");
	name(out, from, "job_type");
	buf_add(out, m ? m->val : "null", m ? m->val_len : 4);
	m = there(rec_get(inner, "data"));
	if (m) {
		name(out, from, "data");
		if (!bytes(out, m))
			buf_add(out, m->val, m->val_len);
	}
	m = there(rec_get(r, "callback_url"));
	put(out, from, "callback_url", m ? m : there(rec_get(inner, "callback_url")));
	put_rest(out, from, r, envelope_parts, job_names, NULL);
	rec_names(&names, r);
	put_rest(out, from, inner, inner_parts, job_names, &names);
	buf_addc(out, '}');
}

/* A document whose own members are in "item". */
static void
put_item(struct buf *out, const struct rec *r, const struct rec *item)
{
	static const char *const parts[] = { "item", "kafka", NULL }, *const none[] = { NULL };
	static struct rec_names names;
	size_t from = out->len;

	put_rest(out, from, r, parts, none, NULL);
	rec_names(&names, r);
	put_rest(out, from, item, parts, none, &names);
	buf_adds(out, out->len == from ? "{}" : "}");
}

/* An object whose members may come to stand at the top. */
static bool
liftable(struct rec *inner, const struct rec_member *m)
{
	if (!m || m->type != '{' || rec_parse(inner, m->val, m->val_len) != REC_OK)
		return false;
	for (size_t i = 0; i < inner->n; i++)
		if (request_reserved(&inner->m[i]))
			return false;
	return true;
}

bool
normal_request(struct buf *out, const struct rec *r)
{
	static struct rec inner;

	if (liftable(&inner, rec_get(r, "job_request")))
		put_job(out, r, &inner);
	else if (liftable(&inner, rec_get(r, "item")))
		put_item(out, r, &inner);
	else
		return false;
	return true;
}

bool
normal_kafka(struct buf *out, const struct rec_member *kafka, const struct buf *original)
{
	static struct buf raw;
	struct rec_change c = { .name = "raw" };
	static struct rec k;

	if (kafka && (kafka->type != '{' || rec_parse(&k, kafka->val, kafka->val_len) != REC_OK ||
	    rec_get(&k, "raw") || rec_get(&k, "raw_blob")))
		return false;
	if (!kafka)
		rec_parse(&k, "{}", 2);
	raw.len = 0;
	buf_addc(&raw, '"');
	b64_encode(&raw, original->p, original->len);
	buf_addc(&raw, '"');
	c.val = raw.p;
	c.len = raw.len;
	rec_edit(out, &k, &c, 1);
	return true;
}
