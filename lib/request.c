#include "request.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "jobtype.h"

#define LETTERS CHECK_UPPER CHECK_LOWER CHECK_DIGIT

#define COMMON \
	{ "job_id", CHECK_NAME, true, 1, 128, LETTERS "._:-" }, \
	{ "tenant", CHECK_NAME, false, 1, 64, LETTERS "._-" }, \
	{ "tenant_id", CHECK_NAME, false, 1, 64, LETTERS "._-" }, \
	{ "pipeline", CHECK_NAME, false, 1, 64, CHECK_LOWER CHECK_DIGIT "-" }, \
	{ "trace", CHECK_TRACE, false, 55, 55, NULL }, \
	{ "again", CHECK_BOOLEAN, false, 0, 0, NULL }
#define END { NULL, CHECK_STRING, false, 0, 0, NULL }

static const struct check_rule document_rules[] = {
	COMMON,
	{ "priority", CHECK_CHOICE, false, 0, 0, "Low|Medium|High" },
	{ "callback_topic", CHECK_NAME, false, 1, 249, LETTERS "._-" },
	{ "doc_key", CHECK_STRING, false, 1, 512, NULL },
	{ "dataset", CHECK_STRING, false, 1, 256, NULL },
	{ "id", CHECK_STRING, false, 1, 256, NULL },
	{ "text", CHECK_STRING, false, 0, SIZE_MAX, NULL },
	{ "path", CHECK_STRING, false, 1, 4095, NULL },
	{ "url", CHECK_URL, false, 1, 8192, NULL },
	{ "doi", CHECK_DOI, false, 1, 6144, NULL },
	{ "document_of", CHECK_NAME, false, 1, 128, LETTERS "._:-" },
	{ "content_type", CHECK_STRING, false, 1, 256, NULL },
	{ "document_type", CHECK_STRING, false, 1, 64, NULL },
	{ "adapter_chain", CHECK_STRINGS, false, 1, 64, NULL },
	{ "title", CHECK_STRING, false, 0, 4096, NULL },
	{ "language", CHECK_NAME, false, 2, 35, LETTERS "-" },
	{ "metadata", CHECK_OBJECT, false, 0, 0, NULL },
	END
};

static const struct check_rule compute_rules[] = {
	COMMON,
	{ "priority", CHECK_CHOICE, true, 0, 0, "Low|Medium|High" },
	{ "model_id", CHECK_STRING, true, 1, 256, NULL },
	{ "inputs", CHECK_STRINGS, true, 0, 100000, NULL },
	{ "requester", CHECK_STRING, true, 1, 256, NULL },
	{ "max_price", CHECK_WHOLE, true, 0, UINT64_MAX, NULL },
	{ "callback_topic", CHECK_NAME, true, 1, 249, LETTERS "._-" },
	{ "max_duration_secs", CHECK_WHOLE, false, 1, 86400, NULL },
	END
};

/* What comes of the older envelope, normalise(1), beside the above. */
static const struct check_rule older_rules[] = {
	{ "client_address", CHECK_HEX, false, 3, 66, NULL },
	{ "callback_url", CHECK_URL, false, 1, 8192, NULL },
	{ "deadline", CHECK_TIME, false, 0, SIZE_MAX, NULL },
	{ "data", CHECK_BASE64, false, 0, SIZE_MAX, NULL },
	{ "max_retries", CHECK_WHOLE, false, 0, UINT32_MAX, NULL },
	{ "created_at", CHECK_WHOLE, false, 0, UINT64_MAX, NULL },
	END
};

/* Members that stages own (stream(7)); feeders and operators their own. */
static const char *const reserved[] = { "attempt", "run", "error", "wait", "chunk", "chunks",
	"embedding", "document", "content", "content_blob", "index", "admit", "probe", "raw",
	"raw_blob", "gates", "outbox", "layout", "layout_blob",
	"parsed",
	"work", "pdf", "pdf_tried",
	"recall", "mapping", "mentions", NULL };
static const char *const feeders[] = { "feed", "kafka", "supersedes", NULL };

static void
check_source(struct check *c, const struct rec *r)
{
	int given = !!rec_get(r, "text") + !!rec_get(r, "path") + !!rec_get(r, "url") + !!rec_get(r, "document_of");

	if (given > 1)
		buf_adds(check_fault(c, "text, path, url"), "only one of them may be there");
	else if (!given && !rec_get(r, "doi"))
		buf_adds(check_fault(c, "text, path, url, doi"), "one of them must be there");
}

static void
check_pipeline(struct check *c, const struct rec *r, const char *folder)
{
	static struct buf path;
	const struct rec_member *m = rec_get(r, "pipeline");
	size_t name = strlen(folder) + 1;
	struct stat st;

	path.len = 0;
	buf_addf(&path, "%s/", folder);
	if (!m || rec_str(m, &path) < 0 || memchr(path.p + name, '/', path.len - name))
		return;
	if (rec_is(m, "adapter-chain")) {
		path.len = name;
		buf_adds(&path, "adapters");
	}
	if (rec_is(m, "intake") || rec_is(m, "door") || access(buf_str(&path), X_OK) < 0 || stat(path.p, &st) < 0 || !S_ISREG(st.st_mode))
		buf_adds(check_fault(c, "pipeline"), "there is no pipeline of this name");
}

/* Both names of the tenant may stand there if they say the same. */
static void
check_tenants(struct check *c, const struct rec *r)
{
	const struct rec_member *a = rec_get(r, "tenant"), *b = rec_get(r, "tenant_id");

	if (a && b && (a->val_len != b->val_len || memcmp(a->val, b->val, a->val_len) != 0))
		buf_adds(check_fault(c, "tenant, tenant_id"), "say different things");
}

bool
request_reserved(const struct rec_member *m)
{
	for (const char *const *name = reserved; *name; name++)
		if (rec_named(m, *name))
			return true;
	for (const char *const *name = feeders; *name; name++)
		if (rec_named(m, *name))
			return true;
	return false;
}

/* An object that normalise left for what it has. alone: nor may it be anything else. */
static void
check_left(struct check *c, const struct rec *r, const char *name, bool alone)
{
	static struct rec inner;
	static struct buf path;
	const struct rec_member *m = rec_get(r, name);
	unsigned before = c->n;

	if (!m)
		return;
	if (m->type == '{' && rec_parse(&inner, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < inner.n; i++)
			if (request_reserved(&inner.m[i])) {
				path.len = 0;
				buf_addf(&path, "%s.%.*s", name, (int)inner.m[i].key_len, inner.m[i].key);
				buf_adds(check_fault(c, buf_str(&path)), "belongs to the stages");
			}
	if (c->n == before && alone)
		buf_adds(check_fault(c, name), "must be an object, and normalise must come before");
}

static void
check_older(struct check *c, const struct rec *r, const char *job_types)
{
	const struct rec_member *type = rec_get(r, "job_type");

	check_left(c, r, "job_request", true);
	if (!type)
		return;
	check_members(c, older_rules, r);
	if (!rec_get(r, "max_duration_secs"))
		buf_adds(check_fault(c, "max_duration_secs"), "is missing");
	jobtype_check(c, type, job_types);
}

const char *
request_kind_name(enum request_kind kind)
{
	return kind == REQUEST_COMPUTE ? "compute" : "document";
}

enum request_kind
request_kind(const struct rec *r)
{
	static struct rec kafka;
	static struct buf topic;
	const struct rec_member *m = rec_get(r, "kafka");

	topic.len = 0;
	if (m && m->type == '{' && rec_parse(&kafka, m->val, m->val_len) == REC_OK &&
	    rec_str(rec_get(&kafka, "topic"), &topic) == 0) {
		if (strncmp(buf_str(&topic), "jobs.", 5) == 0)
			return REQUEST_COMPUTE;
		if (strncmp(topic.p, "ingest.", 7) == 0)
			return REQUEST_DOCUMENT;
	}
	return rec_get(r, "model_id") || rec_get(r, "inputs") || rec_get(r, "job_request") ?
	    REQUEST_COMPUTE : REQUEST_DOCUMENT;
}

unsigned
request_faults(const struct rec *r, enum request_kind kind, const struct request_limits *l, struct buf *why,
    struct buf *at)
{
	struct check c = { why, 0, "", false, at };

	check_members(&c, kind == REQUEST_COMPUTE ? compute_rules : document_rules, r);
	check_tenants(&c, r);
	for (const char *const *name = reserved; *name; name++)
		if (rec_get(r, *name))
			buf_adds(check_fault(&c, *name), "belongs to the stages");
	if (rec_get(r, "supersedes") && request_has_source(r))
		buf_adds(check_fault(&c, "supersedes"), "is for operators");
	if (kind == REQUEST_COMPUTE) {
		check_older(&c, r, l->job_types ? l->job_types : REQUEST_JOB_TYPES);
	} else {
		check_left(&c, r, "item", false);
		check_source(&c, r);
		if (l->pipelines)
			check_pipeline(&c, r, l->pipelines);
	}
	return c.n;
}

bool
request_has_source(const struct rec *r)
{
	static struct rec kafka;
	const struct rec_member *m = rec_get(r, "kafka");

	return m && !(m->type == '{' && rec_parse(&kafka, m->val, m->val_len) == REC_OK && !rec_get(&kafka, "topic"));
}

static bool
name_ok(const char *s, size_t len, size_t max, const char *set)
{
	if (len < 1 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!s[i] || !strchr(set, s[i]))
			return false;
	return true;
}

bool
request_job_id_ok(const char *s, size_t len)
{
	return name_ok(s, len, 128, LETTERS "._:-");
}

bool
request_tenant_ok(const char *s, size_t len)
{
	return name_ok(s, len, 64, LETTERS "._-");
}
