#include "kafka-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "json.h"
#include "kafka-text.h"

/* Members that would make a pipeline pass, settle or match the line wrongly.
 * The first two are added here and by the feeder, so nobody may bring them. */
enum { ADDED = 2 };
static const char *const MISLEADING[] = {
	"kafka", "feed", "error", "wait", "raw", "raw_blob", "chunk", "probe", "admit", NULL
};

/* The object after "kafka":, still open for "raw". small leaves out what the
 * sender can make as long as it likes. */
static void
add_place(struct kafka_line *l, const struct kafka_msg *m, bool small)
{
	l->at.len = 0;
	buf_adds(&l->at, "{\"cluster\":");
	json_quotes(&l->at, l->cluster);
	buf_adds(&l->at, ",\"topic\":");
	json_quotes(&l->at, m->topic);
	buf_adds(&l->at, ",\"partition\":");
	buf_addn(&l->at, m->partition);
	buf_adds(&l->at, ",\"offset\":");
	buf_addn(&l->at, m->offset);
	buf_adds(&l->at, ",\"prev\":");
	buf_addn(&l->at, m->prev);
	buf_adds(&l->at, ",\"low\":");
	buf_addn(&l->at, m->low);
	buf_adds(&l->at, ",\"ts\":");
	buf_addn(&l->at, m->ts_ms);
	buf_addc(&l->at, ',');
	if (small) {
		buf_adds(&l->at, "\"key\":null");
		return;
	}
	kafka_text_key(&l->at, m);
	if (m->n_headers) {
		buf_adds(&l->at, ",\"headers\":");
		kafka_text_headers(&l->at, m);
	}
}

static size_t
room(const struct kafka_line *l)
{
	return l->max > KAFKA_LINE_ROOM ? l->max - KAFKA_LINE_ROOM : 0;
}

static size_t
b64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* "NAME":"base64", or, where that is too long, "NAME_blob":{...}: the place on
 * Kafka has the bytes, and the blob store where there is one. */
static void
add_raw(struct kafka_line *l, const struct kafka_msg *m, const char *before, size_t used,
    struct buf *out)
{
	char hex[65];

	buf_addf(out, "%s\"raw", before);
	if (!m->val) {
		buf_adds(out, "\":null");
	} else if (used + b64_size(m->val_len) <= room(l)) {
		buf_adds(out, "\":");
		b64_quote(out, m->val, m->val_len);
	} else {
		bool kept = l->keep && l->keep(l->ctx, m->val, m->val_len, hex) == 0;

		if (!kept)
			sha256_hex(m->val, m->val_len, hex);
		buf_addf(out, "_blob\":{\"sha256\":\"%s\",\"length\":%zu,\"kept\":%s}", hex,
		    m->val_len, kept ? "true" : "false");
	}
}

void
kafka_wrap(struct kafka_line *l, const struct kafka_msg *m, const char *code, const char *message,
    const char *more, struct buf *out)
{
	l->err.len = 0;
	buf_adds(&l->err, "\"error\":{\"stage\":");
	json_quotes(&l->err, err_prog());
	buf_adds(&l->err, ",\"code\":");
	json_quotes(&l->err, code);
	buf_adds(&l->err, ",\"message\":");
	json_quotes(&l->err, message);
	buf_adds(&l->err, ",\"retry\":false");
	buf_adds(&l->err, more);
	buf_addc(&l->err, '}');

	add_place(l, m, false);
	if (l->at.len + l->err.len + 256 > room(l))
		add_place(l, m, true);
	add_raw(l, m, "{", l->at.len + l->err.len + 64, out);
	buf_adds(out, ",\"kafka\":");
	buf_add(out, l->at.p, l->at.len);
	buf_adds(out, "},");
	buf_add(out, l->err.p, l->err.len);
	buf_addc(out, '}');
}

/* The value with LF and CR as spaces, if it has any. A checked text has none within strings. */
static void
flat(struct kafka_line *l, const struct kafka_msg *m, bool *changed)
{
	*changed = memchr(m->val, '\n', m->val_len) || memchr(m->val, '\r', m->val_len);
	if (!*changed)
		return;
	l->flat.len = 0;
	buf_add(&l->flat, m->val, m->val_len);
	for (size_t i = 0; i < l->flat.len; i++)
		if (l->flat.p[i] == '\n' || l->flat.p[i] == '\r')
			l->flat.p[i] = ' ';
}

static bool
nested(const struct rec *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->m[i].type == '{' || r->m[i].type == '[')
			return true;
	return false;
}

/* Why the value is no record for us: a code, with a sentence in what. */
static const char *
fault(struct kafka_line *l, const struct kafka_msg *m, bool *changed, char what[256])
{
	struct json_fault f;
	enum rec_status st;

	if (!m->val) {
		snprintf(what, 256, "the message has no value (a tombstone)");
		return "tombstone";
	}
	if (m->val_len > room(l)) {
		snprintf(what, 256, "the message is %zu bytes, the limit is %zu", m->val_len, room(l));
		return "too_large";
	}
	/* One that is flattened has to be checked before: a line feed within a string is a fault. And
	 * rec_parse does not look for keys that stand twice within a member. */
	flat(l, m, changed);
	st = *changed ? REC_OK : rec_parse(&l->rec, m->val, m->val_len);
	if ((*changed || st != REC_OK || nested(&l->rec)) && json_check(m->val, m->val_len, &f) < 0) {
		snprintf(what, 256, "%s at byte %zu", f.what, f.at);
		return f.code;
	}
	if (*changed)
		st = rec_parse(&l->rec, l->flat.p, l->flat.len);
	if (st != REC_OK) {
		snprintf(what, 256, "%s", rec_reason(st));
		return rec_code(st);
	}
	for (size_t i = 0; MISLEADING[i] && !(l->plain && i >= ADDED); i++)
		if (rec_get(&l->rec, MISLEADING[i])) {
			snprintf(what, 256, "the member \"%s\" is reserved", MISLEADING[i]);
			return "reserved";
		}
	return NULL;
}

const char *
kafka_line(struct kafka_line *l, const struct kafka_msg *m, struct buf *out)
{
	struct rec_change c = { .name = "kafka" };
	char what[256];
	bool changed = false;
	const char *code = fault(l, m, &changed, what);

	if (code) {
		kafka_wrap(l, m, code, what, "", out);
		return code;
	}
	add_place(l, m, false);
	if (m->val_len + l->at.len + 256 > room(l)) {
		snprintf(what, sizeof(what), "the message is %zu bytes and its key and headers %zu, "
		    "the limit is %zu", m->val_len, l->at.len, room(l));
		kafka_wrap(l, m, "too_large", what, "", out);
		return "too_large";
	}
	if (changed)
		add_raw(l, m, ",", m->val_len + l->at.len + 16, &l->at);
	buf_addc(&l->at, '}');
	c.val = l->at.p;
	c.len = l->at.len;
	rec_edit(out, &l->rec, &c, 1);
	return NULL;
}

void
kafka_line_release(struct kafka_line *l)
{
	rec_free(&l->rec);
	buf_free(&l->flat);
	buf_free(&l->at);
	buf_free(&l->err);
}
