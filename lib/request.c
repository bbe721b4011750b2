#include "request.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

enum type { STRING, NAME, CHOICE, URL, OBJECT, BOOLEAN, U64, STRINGS, TRACE };

struct rule {
	const char *name;
	enum type type;
	bool required;
	size_t min, max;        /* bytes of a string, items of an array */
	const char *set;        /* NAME: the bytes allowed; CHOICE: the words, by '|' */
};

#define COMMON \
	{ "job_id", NAME, true, 1, 128, UPPER LOWER DIGIT "._:-" }, \
	{ "tenant", NAME, false, 1, 64, UPPER LOWER DIGIT "._-" }, \
	{ "tenant_id", NAME, false, 1, 64, UPPER LOWER DIGIT "._-" }, \
	{ "pipeline", NAME, false, 1, 64, LOWER DIGIT "-" }, \
	{ "trace", TRACE, false, 55, 55, NULL }, \
	{ "again", BOOLEAN, false, 0, 0, NULL }

static const struct rule document_rules[] = {
	COMMON,
	{ "priority", CHOICE, false, 0, 0, "Low|Medium|High" },
	{ "doc_key", STRING, false, 1, 512, NULL },
	{ "dataset", STRING, false, 1, 256, NULL },
	{ "id", STRING, false, 1, 256, NULL },
	{ "text", STRING, false, 0, SIZE_MAX, NULL },
	{ "path", STRING, false, 1, 4095, NULL },
	{ "url", URL, false, 1, 8192, NULL },
	{ "content_type", STRING, false, 1, 256, NULL },
	{ "title", STRING, false, 0, 4096, NULL },
	{ "language", NAME, false, 2, 35, UPPER LOWER DIGIT "-" },
	{ "metadata", OBJECT, false, 0, 0, NULL },
	{ NULL, STRING, false, 0, 0, NULL }
};

static const struct rule compute_rules[] = {
	COMMON,
	{ "priority", CHOICE, true, 0, 0, "Low|Medium|High" },
	{ "model_id", STRING, true, 1, 256, NULL },
	{ "inputs", STRINGS, true, 0, 100000, NULL },
	{ "requester", STRING, true, 1, 256, NULL },
	{ "max_price", U64, true, 0, 0, NULL },
	{ "callback_topic", NAME, true, 1, 249, UPPER LOWER DIGIT "._-" },
	{ NULL, STRING, false, 0, 0, NULL }
};

/* Members that stages own (stream(7)); feeders see to "feed" and "kafka". */
static const char *const reserved[] = { "attempt", "run", "error", "wait", "chunk", "chunks",
	"embedding", "document", "content", "content_blob", "index", "admit", "probe", "raw",
	"gates", "outbox", NULL };

/* Begins the next fault; the caller says what it is. */
static struct buf *
fault(struct buf *why, unsigned *n, const char *name)
{
	if ((*n)++)
		buf_adds(why, "; ");
	buf_addf(why, "%s: ", name);
	return why;
}

static bool
one_of(const struct rec_member *m, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, "|");
		char word[32];

		memcpy(word, words, n);
		word[n] = '\0';
		if (rec_is(m, word))
			return true;
		words += n + (words[n] == '|');
	}
	return false;
}

const char *
request_kind_name(enum request_kind kind)
{
	return kind == REQUEST_COMPUTE ? "compute" : "document";
}

int
request_trace_ok(const char *s, size_t len)
{
	if (len != 55 || s[2] != '-' || s[35] != '-' || s[52] != '-')
		return 0;
	for (size_t i = 0; i < len; i++)
		if (i != 2 && i != 35 && i != 52 && !(s[i] && strchr(DIGIT "abcdef", s[i])))
			return 0;
	return 1;
}

static void
check_string(const struct rule *u, const struct rec_member *m, struct buf *why, unsigned *n)
{
	static struct buf s;

	s.len = 0;
	if (rec_str(m, &s) < 0) {
		buf_adds(fault(why, n, u->name), "must be a string");
		return;
	}
	if (s.len < u->min || s.len > u->max) {
		buf_addf(fault(why, n, u->name), "must have %zu to %zu bytes", u->min, u->max);
		return;
	}
	buf_str(&s);
	if (u->type == NAME && strspn(s.p, u->set) != s.len)
		buf_adds(fault(why, n, u->name), "has a byte that is not allowed in it");
	if (u->type == URL && strncmp(s.p, "http://", 7) != 0 && strncmp(s.p, "https://", 8) != 0)
		buf_adds(fault(why, n, u->name), "must begin with http:// or https://");
	if (u->type == TRACE && !request_trace_ok(s.p, s.len))
		buf_adds(fault(why, n, u->name), "must be a W3C traceparent");
}

static void
check_strings(const struct rule *u, const struct rec_member *m, struct buf *why, unsigned *n)
{
	static struct rec items;

	if (m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK) {
		buf_adds(fault(why, n, u->name), "must be an array of strings");
		return;
	}
	if (items.n > u->max)
		buf_addf(fault(why, n, u->name), "has %zu items, at most %zu are allowed", items.n, u->max);
	for (size_t i = 0; i < items.n; i++)
		if (items.m[i].type != '"') {
			buf_addf(fault(why, n, u->name), "item %zu must be a string", i);
			return;
		}
}

static void
check_member(const struct rule *u, const struct rec_member *m, struct buf *why, unsigned *n)
{
	uint64_t v;

	switch (u->type) {
	case STRING:
	case NAME:
	case URL:
	case TRACE: check_string(u, m, why, n); break;
	case STRINGS: check_strings(u, m, why, n); break;
	case CHOICE:
		if (!one_of(m, u->set))
			buf_addf(fault(why, n, u->name), "must be one of %s", u->set);
		break;
	case OBJECT:
		if (m->type != '{')
			buf_adds(fault(why, n, u->name), "must be an object");
		break;
	case BOOLEAN:
		if (m->type != 't' && m->type != 'f')
			buf_adds(fault(why, n, u->name), "must be true or false");
		break;
	case U64:
		if (rec_u64(m, &v) < 0)
			buf_addf(fault(why, n, u->name), "must be a whole number from 0 to %" PRIu64, UINT64_MAX);
		break;
	}
}

static void
check_source(const struct rec *r, struct buf *why, unsigned *n)
{
	int given = !!rec_get(r, "text") + !!rec_get(r, "path") + !!rec_get(r, "url");

	if (given != 1)
		buf_adds(fault(why, n, "text, path, url"), given ?
		    "only one of them may be there" : "one of them must be there");
}

static void
check_pipeline(const struct rec *r, const char *folder, struct buf *why, unsigned *n)
{
	static struct buf path;
	const struct rec_member *m = rec_get(r, "pipeline");

	path.len = 0;
	buf_addf(&path, "%s/", folder);
	if (!m || rec_str(m, &path) < 0 || memchr(path.p + strlen(folder) + 1, '/', path.len - strlen(folder) - 1))
		return;
	if (rec_is(m, "intake") || access(buf_str(&path), X_OK) < 0)
		buf_adds(fault(why, n, "pipeline"), "there is no pipeline of this name");
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
	return rec_get(r, "model_id") || rec_get(r, "inputs") ? REQUEST_COMPUTE : REQUEST_DOCUMENT;
}

unsigned
request_faults(const struct rec *r, enum request_kind kind, const char *pipelines, struct buf *why)
{
	unsigned n = 0;

	for (const struct rule *u = kind == REQUEST_COMPUTE ? compute_rules : document_rules; u->name; u++) {
		const struct rec_member *m = rec_get(r, u->name);

		if (m)
			check_member(u, m, why, &n);
		else if (u->required)
			buf_adds(fault(why, &n, u->name), "is missing");
	}
	for (const char *const *name = reserved; *name; name++)
		if (rec_get(r, *name))
			buf_adds(fault(why, &n, *name), "belongs to the stages");
	if (kind == REQUEST_DOCUMENT) {
		check_source(r, why, &n);
		if (pipelines)
			check_pipeline(r, pipelines, why, &n);
	}
	return n;
}

int
request_job_id_ok(const char *s, size_t len)
{
	if (len < 1 || len > 128)
		return 0;
	for (size_t i = 0; i < len; i++)
		if (!s[i] || !strchr(UPPER LOWER DIGIT "._:-", s[i]))
			return 0;
	return 1;
}
