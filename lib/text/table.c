#include "text/table.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text/html.h"
#include "text/sentence.h"
#include "text/tidy.h"

enum {
	COLUMNS = 256,          /* cells of a row; the rest joins the last one */
	REPEATED = 100,         /* bytes of a cell that is told again in the rows below */
	SPAN = 1000, HEADS = 3
};

struct cell {
	unsigned rows;          /* rows below that it reaches into */
	struct buf text;
};

struct table {
	struct buf *out;
	size_t from, spare;     /* spare: bytes that may still be told again */
	size_t row, col, cols;  /* row: where this one begins in out */
	struct cell above[COLUMNS];
	unsigned rowspan, colspan;
	bool in_row, thead, only_th, heads_end;
	size_t head, heads;
};

static void
gap(struct table *t)
{
	if (t->col)
		buf_addc(t->out, '\t');
	t->col++;
}

/* Cells that reach down into this row from above, up to the next free column. */
static void
fill(struct table *t)
{
	while (t->col < COLUMNS && t->above[t->col].rows && t->spare) {
		struct cell *c = &t->above[t->col];

		c->rows--;
		t->spare--;
		gap(t);
		if (c->text.len && c->text.len <= t->spare) {
			t->spare -= c->text.len;
			buf_add(t->out, c->text.p, c->text.len);
		}
	}
}

static void
end_row(struct table *t)
{
	bool head = t->thead || (t->col && t->only_th);

	if (!t->in_row)
		return;
	t->in_row = false;
	fill(t);
	t->out->len = t->row + sentence_trim(buf_str(t->out) + t->row, t->out->len - t->row);
	if (t->out->len == t->row)
		return;
	buf_addc(t->out, '\n');
	if (!t->heads || (head && !t->heads_end && t->heads < HEADS)) {
		t->heads++;
		t->head = t->out->len - t->from;
	}
	if (!head)
		t->heads_end = true;
}

static void
begin_row(struct table *t)
{
	end_row(t);
	t->in_row = t->only_th = true;
	t->row = t->out->len;
	t->col = 0;
}

/* A cell's inside, p to end. */
static void
cell(struct table *t, const char *p, const char *end)
{
	static struct buf raw, text, title;

	raw.len = text.len = title.len = 0;
	html_text(&raw, &title, p, (size_t)(end - p));
	tidy_line(&text, buf_str(&raw), raw.len);
	if (t->col >= COLUMNS) {
		buf_addc(t->out, ' ');
		buf_add(t->out, text.p, text.len);
		return;
	}
	fill(t);
	for (unsigned k = 0; k < t->colspan && t->col < COLUMNS && (!k || t->spare); k++) {
		struct cell *below = &t->above[t->col];

		gap(t);
		t->spare -= !!k;
		if (!k)
			buf_add(t->out, text.p, text.len);
		below->rows = t->rowspan - 1;
		below->text.len = 0;
		if (!k && text.len <= REPEATED)
			buf_add(&below->text, text.p, text.len);
	}
}

/* The value of a number attribute in a tag, 1 to SPAN; 1 where it has none. */
static unsigned
span(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);
	unsigned long v = 1;

	for (; (size_t)(end - p) > n + 1; p++)
		if (isspace((unsigned char)*p) && strncasecmp(p + 1, name, n) == 0) {
			char digits[8] = "";
			size_t k = 0;

			for (p += n + 1; p < end && (*p == '=' || *p == '"' || *p == '\'' || *p == ' '); p++)
				;
			for (; p < end && k < 7 && isdigit((unsigned char)*p); p++)
				digits[k++] = *p;
			v = strtoul(digits, NULL, 10);
			break;
		}
	return v < 1 ? 1 : v > SPAN ? SPAN : (unsigned)v;
}

/* The byte after the tag at p; the end where it has none. */
static const char *
tag_end(const char *p, const char *end)
{
	char quote = 0;

	for (; p < end; p++) {
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '>')
			return p + 1;
		else if ((*p == '"' || *p == '\'') && p[-1] == '=')
			quote = *p;
	}
	return end;
}

static bool
named(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(end - p) >= n && strncasecmp(p, name, n) == 0 &&
	    ((size_t)(end - p) == n || !isalnum((unsigned char)p[n]));
}

size_t
table_text(struct buf *out, const char *p, size_t len)
{
	static struct table t;
	const char *end = p + len, *inside = NULL, *q, *name;
	size_t nested = 0;      /* tables in the cell: a part of its text */
	bool closing, is_cell, th, its;

	t = (struct table){ .out = out, .from = out->len, .spare = 4 * len, .rowspan = 1, .colspan = 1 };
	for (; (q = memchr(p, '<', (size_t)(end - p))); p = q) {
		closing = q + 1 < end && q[1] == '/';
		name = q + 1 + closing;
		th = named(name, end, "th");
		is_cell = th || named(name, end, "td");
		its = !nested && (is_cell || named(name, end, "tr") || named(name, end, "thead") || named(name, end, "tbody"));
		if (named(name, end, "table")) {
			its = !inside || (closing && !nested);
			if (!its)
				nested += closing ? (size_t)-1 : 1;
		}
		if (!its) {
			q++;
			continue;
		}
		if (inside)
			cell(&t, inside, q);
		inside = NULL;
		p = q;
		q = tag_end(q, end);
		if (named(name, end, "thead"))
			t.thead = !closing;
		if (!is_cell && !closing && named(name, end, "tr"))
			begin_row(&t);
		else if (!is_cell)
			end_row(&t);
		if (!is_cell || closing)
			continue;
		if (!t.in_row)
			begin_row(&t);
		t.only_th = t.only_th && th;
		t.rowspan = span(p, q, "rowspan");
		t.colspan = span(p, q, "colspan");
		inside = q;
	}
	if (inside)
		cell(&t, inside, end);
	end_row(&t);
	for (size_t i = 0; i < COLUMNS; i++)
		buf_free(&t.above[i].text);
	if (out->len > t.from)
		out->len--;
	return t.head >= out->len - t.from ? 0 : t.head;
}
