#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text/lines.h"

static const char *const envelope[] = { "job_id", "tenant", "doc_key", "attempt", "run", "feed" };

static void
overlap_text(char out[32], double overlap)
{
	snprintf(out, 32, "%.6g", overlap);
}

static bool
is_number(const struct rec_member *m, const char *s)
{
	return m && m->type == '0' && m->val_len == strlen(s) && memcmp(m->val, s, m->val_len) == 0;
}

bool
lines_kept(struct lines_kept *k, const struct rec_member *chunks, const struct lines_how *how)
{
	const struct rec_member *m;
	char tokens[32], overlap[32], n[32];

	k->items.n = 0;
	if (!chunks || rec_parse(&k->chunks, chunks->val, chunks->val_len) != REC_OK)
		return false;
	snprintf(tokens, sizeof tokens, "%u", how->tokens);
	overlap_text(overlap, how->overlap);
	if (!rec_is(rec_get(&k->chunks, "stage"), LINES_STAGE) ||
	    !rec_is(rec_get(&k->chunks, "sha256"), how->text) ||
	    !rec_is(rec_get(&k->chunks, "vocab"), how->vocab) ||
	    !is_number(rec_get(&k->chunks, "tokens"), tokens) ||
	    !is_number(rec_get(&k->chunks, "overlap"), overlap))
		return false;
	m = rec_get(&k->chunks, "layout");
	if (how->layout[0] ? !rec_is(m, how->layout) : m != NULL)
		return false;
	if (!(m = rec_get(&k->chunks, "items")))
		return true;
	if (rec_items(&k->items, m->val, m->val_len) != REC_OK)
		return false;
	snprintf(n, sizeof n, "%zu", k->items.n);
	return is_number(rec_get(&k->chunks, "n"), n);
}

void
lines_head(struct buf *out, const struct rec *job)
{
	char sep = '{';

	for (size_t i = 0; i < sizeof envelope / sizeof *envelope; i++) {
		const struct rec_member *m = rec_get(job, envelope[i]);

		if (!m)
			continue;
		buf_addf(out, "%c\"%s\":", sep, envelope[i]);
		buf_add(out, m->val, m->val_len);
		sep = ',';
	}
	buf_addc(out, sep);
}

/* The piece whose section a chunk of the pieces [i, end) is in: the first that is no
 * heading; where that is in none, the first that is in one. */
static const struct layout_piece *
main_piece(const struct layout *l, size_t i, size_t end)
{
	size_t k;

	for (k = i; k + 1 < end && l->p[k].kind == LAYOUT_HEADING; k++)
		;
	while (k + 1 < end && !l->p[k].path_len)
		k++;
	return &l->p[k];
}

/* Its pages, its section and whether it is of a table. */
static void
add_place(struct buf *out, const struct plan_chunk *c, const struct layout *l)
{
	size_t i = layout_find(l, c->start), end;
	const struct layout_piece *p, *in;
	uint32_t last;

	if (i == l->n || l->p[i].at >= c->end)
		return;
	p = &l->p[i];
	last = p->page;
	for (end = i; end < l->n && l->p[end].at < c->end; end++)
		if (l->p[end].page > last)
			last = l->p[end].page;
	in = main_piece(l, i, end);
	if (p->page)
		buf_addf(out, ",\"page\":%" PRIu32, p->page);
	if (p->page && last > p->page)
		buf_addf(out, ",\"pages\":[%" PRIu32 ",%" PRIu32 "]", p->page, last);
	if (in->path_len) {
		buf_adds(out, ",\"path\":");
		buf_add(out, l->paths.p + in->path, in->path_len);
	}
	if (p->kind == LAYOUT_TABLE)
		buf_addf(out, ",\"kind\":\"%s\"", layout_kind(p->kind));
	if (c->head_end)
		buf_addf(out, ",\"head\":[%" PRIu32 ",%" PRIu32 "]", c->head, c->head_end);
}

void
lines_chunk(struct buf *out, const struct buf *head, const struct plan_chunk *c, size_t i, size_t n,
    const char *text, const struct layout *l)
{
	static struct buf whole;

	buf_add(out, head->p, head->len);
	buf_addf(out, "\"chunk\":{\"i\":%zu,\"n\":%zu,\"start\":%u,\"end\":%u,\"tokens\":%u", i, n,
	    c->start, c->end, c->tokens + WORDPIECE_FRAME);
	add_place(out, c, l);
	buf_adds(out, ",\"text\":");
	if (c->head_end) {
		whole.len = 0;
		buf_add(&whole, text + c->head, c->head_end - c->head);
		buf_add(&whole, text + c->start, c->end - c->start);
		json_quote(out, whole.p, whole.len);
	} else {
		json_quote(out, text + c->start, c->end - c->start);
	}
	buf_adds(out, "}}");
}

int
lines_again(struct buf *out, const struct buf *head, const struct lines_kept *k, size_t i)
{
	static struct rec item = REC_INIT;
	static const struct rec_change without = { "embedding", NULL, 0 };
	const struct rec_member *m = &k->items.m[i];
	char num[32];

	if (m->type != '{' || rec_parse(&item, m->val, m->val_len) != REC_OK)
		return -1;
	snprintf(num, sizeof num, "%zu", i);
	if (!is_number(rec_get(&item, "i"), num))
		return -1;
	snprintf(num, sizeof num, "%zu", k->items.n);
	if (!is_number(rec_get(&item, "n"), num) || rec_get(&item, "text") == NULL)
		return -1;
	buf_add(out, head->p, head->len);
	buf_adds(out, "\"chunk\":");
	rec_edit(out, &item, &without, 1);
	if ((m = rec_get(&item, "embedding"))) {
		buf_adds(out, ",\"embedding\":");
		buf_add(out, m->val, m->val_len);
	}
	buf_addc(out, '}');
	return 0;
}

void
lines_chunks(struct buf *out, size_t n, const struct lines_how *how)
{
	char overlap[32];

	overlap_text(overlap, how->overlap);
	buf_addf(out, "{\"n\":%zu,\"tokens\":%u,\"overlap\":%s,\"sha256\":\"%s\",\"vocab\":\"%s\"", n, how->tokens,
	    overlap, how->text, how->vocab);
	if (how->layout[0])
		buf_addf(out, ",\"layout\":\"%s\"", how->layout);
	buf_adds(out, ",\"stage\":\"" LINES_STAGE "\"}");
}
