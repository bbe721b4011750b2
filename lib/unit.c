#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "stage.h"

enum { KEEP = 1 << 16 };        /* a buffer larger than this is given back */

static struct unit *
unit_new(struct units *u)
{
	struct unit *one = u->spare;

	if (one)
		u->spare = one->next;
	else
		one = mem_zalloc(sizeof(*one));
	one->lines.len = one->key.len = one->job.len = one->own = 0;
	one->attempt = 0;
	one->too_large = one->done = false;
	one->next = NULL;
	return one;
}

static void
enqueue(struct units *u, struct unit *one)
{
	*(u->tail ? &u->tail->next : &u->head) = one;
	u->tail = one;
	u->n++;
	u->bytes += one->lines.len;
	if (!u->ready && !one->done)
		u->ready = one;
}

/* Lines in, lines out: the LF after the last one is all that is missing. */
static void
as_they_are(struct unit *one)
{
	buf_addc(&one->lines, '\n');
	one->done = true;
}

static void
add_bad(struct units *u, const char *line, size_t len, const char *code, const char *message)
{
	struct unit *one = unit_new(u);

	u->bad++;
	stage_bad_json(&one->lines, line, len, code, message);
	as_they_are(one);
	enqueue(u, one);
}

/* The unit that is gathered under the line's feed, or its job_id, taken out of
 * the list of those; NULL: there is none. */
static struct unit *
gathered(struct units *u, const struct rec_member *key)
{
	struct unit **at = &u->open, *one;

	for (; (one = *at); at = &one->next)
		if (key ? one->key.len == key->val_len && memcmp(one->key.p, key->val, key->val_len) == 0 :
		    !one->key.len)
			break;
	if (one) {
		*at = one->next;
		one->next = NULL;
	}
	return one;
}

static void
add_line(struct units *u, struct unit *one, const char *line, size_t len)
{
	one->too_large |= one->lines.len + len > u->max;
	if (one->too_large)
		one->lines.len = 0;
	if (one->lines.len)
		buf_addc(&one->lines, '\n');
	one->own = one->lines.len;
	buf_add(&one->lines, line, len);
}

void
units_add(struct units *u, const char *line, size_t len)
{
	enum rec_status st = rec_parse(&u->rec, line, len);
	const struct rec_member *key, *job;
	struct unit *one;

	if (st != REC_OK) {
		char message[128];

		snprintf(message, sizeof(message), "%s at byte %zu", rec_reason(st), u->rec.at);
		add_bad(u, line, len, rec_code(st), message);
		return;
	}
	job = rec_get(&u->rec, "job_id");
	key = rec_get(&u->rec, "feed");
	key = key ? key : job;
	one = u->open ? gathered(u, key) : NULL;
	if (!one) {
		one = unit_new(u);
		if (key)
			buf_add(&one->key, key->val, key->val_len);
	}
	add_line(u, one, line, len);
	if (rec_get(&u->rec, "chunk")) {
		one->next = u->open;
		u->open = one;
		return;
	}
	(void)rec_str(job, &one->job);
	(void)rec_u64(rec_get(&u->rec, "attempt"), &one->attempt);
	if (rec_get(&u->rec, "error") || rec_get(&u->rec, "wait"))
		as_they_are(one);
	enqueue(u, one);
}

void
units_add_long(struct units *u, const char *line, size_t len, size_t limit)
{
	char message[96];

	snprintf(message, sizeof(message), "the record is longer than %zu bytes", limit);
	add_bad(u, line, len, "too_large", message);
}

struct unit *
units_next(struct units *u)
{
	struct unit *one = u->ready;

	while (u->ready && (u->ready = u->ready->next) && u->ready->done)
		;
	return one;
}

void
units_done(struct units *u, struct unit *one, const char *lines, size_t len)
{
	u->bytes -= one->lines.len;
	one->lines.len = 0;
	buf_add(&one->lines, lines, len);
	as_they_are(one);
	u->bytes += one->lines.len;
}

void
units_fail(struct units *u, struct unit *one, const char *error, size_t len)
{
	static struct buf line;
	struct rec_change c = { "error", error, len };

	if (rec_parse(&u->rec, one->lines.p + one->own, one->lines.len - one->own) != REC_OK)
		die(XBUG, "a record that was taken no longer parses");
	line.len = 0;
	buf_add(&line, one->lines.p, one->own);
	rec_edit(&line, &u->rec, &c, 1);
	units_done(u, one, line.p, line.len);
}

void
units_out(struct units *u, struct buf *out)
{
	struct unit *one;

	while ((one = u->head) && one->done) {
		u->head = one->next;
		if (!u->head)
			u->tail = NULL;
		u->n--;
		u->bytes -= one->lines.len;
		buf_add(out, one->lines.p, one->lines.len);
		if (one->lines.cap > KEEP)
			buf_free(&one->lines);
		one->next = u->spare;
		u->spare = one;
	}
}

size_t
units_open(const struct units *u)
{
	size_t n = 0;

	for (const struct unit *one = u->open; one; one = one->next)
		n++;
	return n;
}
