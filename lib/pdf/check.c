#include "pdf/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rec.h"

static int __attribute__((format(printf, 3, 4)))
fail(struct check *c, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->message, sizeof c->message, fmt, ap);
	va_end(ap);
	c->code = code;
	return -1;
}

/* Characters of a string that are neither white space nor a table's tags. */
static size_t
visible(const struct rec_member *m, bool html)
{
	static struct buf s;
	size_t n = 0;
	bool tag = false;

	s.len = 0;
	if (!m || rec_str(m, &s) < 0)
		return 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		tag = html && (c == '<' || (tag && c != '>'));
		n += !tag && c > ' ' && (c & 0xC0) != 0x80 && !(html && c == '>');
	}
	return n;
}

static size_t
visible_all(const struct rec_member *m)
{
	static struct rec items = REC_INIT;
	size_t n = 0;

	if (!m || m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK)
		return 0;
	for (size_t i = 0; i < items.n; i++)
		n += visible(&items.m[i], false);
	return n;
}

static bool
edge(const struct rec *b)
{
	const struct rec_member *type = rec_get(b, "type");

	return rec_is(type, "header") || rec_is(type, "footer") || rec_is(type, "page_number");
}

static int
block(struct check *c, const struct rec_member *m, size_t *per_page)
{
	static struct rec b = REC_INIT;
	uint64_t page;
	size_t n;

	if (m->type != '{' || rec_parse(&b, m->val, m->val_len) != REC_OK || !rec_get(&b, "type") ||
	    rec_u64(rec_get(&b, "page_idx"), &page) < 0)
		return fail(c, "bad_blocks", "block %zu has no type or no page_idx", c->blocks + 1);
	if (page >= c->pages)
		return fail(c, "page_mismatch", "a block is on page %" PRIu64 ", the PDF has %zu", page + 1, c->pages);
	if (edge(&b))
		return 0;
	n = visible(rec_get(&b, "text"), false) + visible(rec_get(&b, "code_body"), false) +
	    visible(rec_get(&b, "table_body"), true) + visible_all(rec_get(&b, "list_items"));
	c->blocks++;
	c->chars += n;
	per_page[page] += n;
	return 0;
}

static int
all_blocks(struct check *c, const struct rec *list, size_t *per_page)
{
	for (size_t i = 0; i < list->n; i++)
		if (block(c, &list->m[i], per_page) < 0)
			return -1;
	for (size_t p = 0; p < c->pages; p++)
		if (per_page[p] < CHECK_SPARSE)
			buf_addf(&c->sparse, "%s%zu", c->sparse.len ? "," : "", p + 1);
	return 0;
}

int
check_blocks(struct check *c, const char *json, size_t len, size_t min)
{
	static struct rec list = REC_INIT;
	size_t *per_page;
	int r;

	c->blocks = c->chars = c->sparse.len = 0;
	if (rec_items(&list, json, len) != REC_OK)
		return fail(c, "bad_blocks", "the blocks are no JSON array");
	per_page = mem_zalloc((c->pages + 1) * sizeof *per_page);
	r = all_blocks(c, &list, per_page);
	free(per_page);
	if (r < 0)
		return -1;
	if (c->blocks && c->chars >= min)
		return 0;
	return fail(c, "no_text", "%zu characters of text on %zu pages", c->chars, c->pages);
}
