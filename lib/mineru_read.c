#include "mineru_read.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "rec.h"

enum { DEPTH = 16 };    /* MinerU's lists have 4; in a record they stand 2 deeper, which has REC_DEPTH */

/* A name that may stand in a URL and in a record. */
static bool
is_word(const struct buf *b, const char *more, size_t max)
{
	for (size_t i = 0; i < b->len; i++)
		if (!isalnum((unsigned char)b->p[i]) && (!b->p[i] || !strchr(more, b->p[i])))
			return false;
	return b->len && b->len <= max;
}

/* The string called name, in a buffer that the next call uses again. NULL: there is none. */
static const struct buf *
text(const struct rec *r, const char *name)
{
	static struct buf b;

	b.len = 0;
	return rec_str(rec_get(r, name), &b) == 0 ? &b : NULL;
}

int
mineru_read_health(struct mineru_health *h, const char *p, size_t len)
{
	static struct rec r = REC_INIT;
	uint64_t n = 0;

	*h = (struct mineru_health){ .room = 1 };
	if (rec_parse(&r, p, len) != REC_OK || !rec_get(&r, "status") || rec_is(rec_get(&r, "status"), "unhealthy"))
		return -1;
	if (rec_u64(rec_get(&r, "queued_tasks"), &n) == 0 && n < 1 << 20)
		h->busy += n;
	if (rec_u64(rec_get(&r, "processing_tasks"), &n) == 0 && n < 1 << 20)
		h->busy += n;
	if (rec_u64(rec_get(&r, "max_concurrent_requests"), &n) == 0 && n && n < 1 << 20)
		h->room = n;
	if (rec_u64(rec_get(&r, "protocol_version"), &n) == 0)
		h->protocol = n;
	return 0;
}

int
mineru_read_task(struct mineru_task *t, const char *p, size_t len)
{
	static const char *const states[] = { "pending", "processing", "completed", "failed" };
	static struct rec r = REC_INIT;
	const struct buf *id;

	if (rec_parse(&r, p, len) != REC_OK || !(id = text(&r, "task_id")) || !is_word(id, "-_", MINERU_ID_MAX))
		return -1;
	memcpy(t->id, id->p, id->len);
	t->id[id->len] = 0;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (rec_is(rec_get(&r, "status"), states[i])) {
			t->state = (enum mineru_state)i;
			return 0;
		}
	return -1;
}

void
mineru_read_error(struct buf *out, const char *p, size_t len, size_t max)
{
	static const char *const names[] = { "error", "detail", "message" };
	static struct rec r = REC_INIT;
	const struct buf *said = NULL;

	if (rec_parse(&r, p, len) != REC_OK)
		return;
	for (size_t i = 0; i < 3 && !(said && said->len); i++)
		said = text(&r, names[i]);
	if (said)
		buf_add(out, said->p, said->len < max ? said->len : max);
}

/* Checked JSON without the white space around its parts: line feeds would end a record.
 * Returns how deep it is nested. */
static size_t
tighten(struct buf *out, const char *p, size_t len)
{
	bool in = false, escaped = false;
	size_t depth = 0, most = 0;

	buf_room(out, len);
	for (size_t i = 0; i < len; i++) {
		if (!in && strchr(" \t\r\n", p[i]) && p[i])
			continue;
		in ^= p[i] == '"' && !escaped;
		escaped = in && p[i] == '\\' && !escaped;
		out->p[out->len++] = p[i];
		if (!in && (p[i] == '[' || p[i] == '{'))
			most = ++depth > most ? depth : most;
		else if (!in && (p[i] == ']' || p[i] == '}'))
			depth--;
	}
	return most;
}

static void
name_engine(struct buf *out, const struct rec *r)
{
	const struct buf *said = text(r, "version");

	buf_adds(out, "mineru ");
	if (said && is_word(said, ".-+_", 40))
		buf_add(out, said->p, said->len);
	else
		buf_adds(out, "?");
	said = text(r, "backend");
	if (said && is_word(said, ".-+_", 40))
		buf_addf(out, " %.*s", (int)said->len, said->p);
}

const char *
mineru_read_result(struct buf *blocks, struct buf *engine, const char *p, size_t len)
{
	static struct rec r = REC_INIT, results = REC_INIT, one = REC_INIT, list = REC_INIT;
	const struct rec_member *m;
	const struct buf *json;

	if (rec_parse(&r, p, len) != REC_OK)
		return "the result is no JSON object";
	m = rec_get(&r, "results");
	if (!m || m->type != '{' || rec_parse(&results, m->val, m->val_len) != REC_OK || results.n != 1)
		return "the result is not that of one document";
	m = &results.m[0];
	if (m->type != '{' || rec_parse(&one, m->val, m->val_len) != REC_OK)
		return "the result is no object";
	/* JSON inside a string. */
	if (!(json = text(&one, "content_list")))
		return "the result has no content_list";
	if (rec_items(&list, json->p, json->len) != REC_OK)
		return "the content_list is no JSON array";
	blocks->len = 0;
	if (tighten(blocks, json->p, json->len) > DEPTH)
		return "the content_list is nested too deep";
	name_engine(engine, &r);
	return NULL;
}
