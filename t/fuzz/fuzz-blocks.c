/* fuzz-blocks - any list of blocks: the text is UTF-8, its layout is in order, lies
 * in it, leaves out only white space, begins and ends pieces with none, and is read again as it
 * was written. Then the text is cut along it: every chunk is text, on UTF-8 borders, and none is
 * over the limit. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "rec.h"
#include "text/blocks.h"
#include "text/charset.h"
#include "text/cut.h"
#include "text/sentence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vocab *
vocabulary(void)
{
	static const char words[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nab\n##a\n##b\nthe\n##e\n.\n,\n1\n##1\n";
	static struct vocab v = VOCAB_INIT;
	static struct fault f;
	char path[64];

	if (v.n)
		return &v;
	snprintf(path, sizeof path, "/proc/self/fd/%d", proc_memfd("vocab", words, sizeof words - 1));
	if (vocab_open(&v, path, &f) < 0)
		abort();
	return &v;
}

static void
check_layout(const struct blocks *b)
{
	size_t from = 0;

	for (size_t i = 0; i <= b->layout.n; i++) {
		const struct layout_piece *p = &b->layout.p[i];
		size_t to = i < b->layout.n ? p->at : b->text.len;

		if (to < from)
			abort();
		for (; from < to; from++)
			if (b->text.p[from] != '\n' && b->text.p[from] != ' ')
				abort();
		if (i == b->layout.n)
			break;
		/* A table may begin with an empty cell. */
		if (!p->len || p->head > p->len || (p->kind != LAYOUT_TABLE &&
		    sentence_space(b->text.p + p->at, b->text.p + b->text.len)) || sentence_trim(b->text.p + p->at, p->len) != p->len)
			abort();
		from += p->len;
	}
	if (from != b->text.len)
		abort();
}

static void
check_again(const struct blocks *b)
{
	static struct layout again = LAYOUT_INIT;
	static struct buf one, two;

	one.len = two.len = 0;
	layout_json(&one, &b->layout);
	if (layout_parse(&again, buf_str(&one), one.len, b->text.len) < 0 || again.n != b->layout.n)
		abort();
	layout_json(&two, &again);
	if (two.len != one.len || memcmp(one.p, two.p, one.len))
		abort();
}

static void
check_cut(const struct blocks *b)
{
	static struct plan plan = PLAN_INIT;
	const unsigned limit = 62;

	if (cut_text(vocabulary(), b->text.p, b->text.len, &b->layout, limit, 8, &plan) < 0)
		abort();
	for (size_t i = 0; i < plan.n; i++) {
		const struct plan_chunk *c = &plan.c[i];

		if (c->start >= c->end || c->end > b->text.len || c->tokens > limit || c->head > c->head_end ||
		    c->head_end > c->start || !charset_utf8(b->text.p + c->start, c->end - c->start) ||
		    (i && c->end <= c[-1].end))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct blocks b = BLOCKS_INIT;
	char *p = malloc(size ? size : 1);      /* exactly as long: overreads show */

	memcpy(p, data, size);
	if (blocks_read(&b, p, size, size % 3 ? NULL : "a b", 3) == 0 && b.layout.n) {
		buf_str(&b.text);
		if (!charset_utf8(b.text.p, b.text.len))
			abort();
		check_layout(&b);
		check_again(&b);
		check_cut(&b);
	}
	free(p);
	return 0;
}
