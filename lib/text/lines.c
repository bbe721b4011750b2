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

void
lines_chunk(struct buf *out, const struct buf *head, const struct plan_chunk *c, size_t i, size_t n,
    const char *text)
{
	buf_add(out, head->p, head->len);
	buf_addf(out, "\"chunk\":{\"i\":%zu,\"n\":%zu,\"start\":%u,\"end\":%u,\"tokens\":%u,\"text\":", i, n,
	    c->start, c->end, c->tokens + WORDPIECE_FRAME);
	json_quote(out, text + c->start, c->end - c->start);
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
	buf_addf(out, "{\"n\":%zu,\"tokens\":%u,\"overlap\":%s,\"sha256\":\"%s\",\"vocab\":\"%s\",\"stage\":\""
	    LINES_STAGE "\"}", n, how->tokens, overlap, how->text, how->vocab);
}
