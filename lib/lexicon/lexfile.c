#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "lexicon/lexmake.h"

/* Numbers the words anew, those that begin a term first. Returns how many do. */
static uint32_t
number_words(struct lex_make *m, uint32_t *order)
{
	uint32_t n = m->words.n, roots = 0, rest, i;
	uint32_t *new = mem_array(NULL, (size_t)n + 1, sizeof *new);
	unsigned char *begins = mem_zalloc((size_t)n + 1);
	size_t k;

	for (k = 0; k < m->n; k++)
		begins[m->seq[m->term[k].seq]] = 1;
	for (i = 0; i < n; i++)
		roots += begins[i];
	rest = roots;
	for (i = 0, roots = 0; i < n; i++) {
		new[i] = begins[i] ? roots++ : rest++;
		order[new[i]] = i;
	}
	for (k = 0; k < m->seq_n; k++)
		m->seq[k] = new[m->seq[k]];
	free(begins);
	free(new);
	return roots;
}

static int
by_words(const void *va, const void *vb, void *ctx)
{
	const struct lex_made_term *a = va, *b = vb;
	const uint32_t *seq = ctx, *x = seq + a->seq, *y = seq + b->seq;

	for (unsigned i = 0; i < a->n && i < b->n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool
same_words(const struct lex_make *m, size_t i, size_t k)
{
	const struct lex_made_term *a = &m->term[i], *b = &m->term[k];

	return a->n == b->n && memcmp(m->seq + a->seq, m->seq + b->seq, a->n * sizeof *m->seq) == 0;
}

/* Terms of the same words are one, with all their concepts once each. number: of each
 * place in the order, the term there. Returns how many terms. */
static uint32_t
merge(const struct lex_make *m, uint32_t *number, struct buf *flags, struct buf *link_at, struct buf *links)
{
	uint32_t terms = 0, zero = 0, at;
	size_t i = 0, k, from;

	buf_add(link_at, &zero, 4);
	while (i < m->n) {
		char all = LEX_ABBREVIATION;

		from = links->len;
		for (k = i; k < m->n && same_words(m, i, k); k++) {
			size_t seen = from;

			while (seen < links->len && memcmp(links->p + seen, &m->term[k].concept, 4) != 0)
				seen += 4;
			/* More meanings than that are none. */
			if (seen == links->len && seen - from < 4 * 256)
				buf_add(links, &m->term[k].concept, 4);
			all &= (char)m->term[k].flags;
			number[k] = terms;
		}
		buf_addc(flags, all);
		at = (uint32_t)(links->len / 4);
		buf_add(link_at, &at, 4);
		terms++;
		i = k;
	}
	return terms;
}

static uint64_t
power(uint64_t least)
{
	uint64_t n = 64;

	while (n < least)
		n *= 2;
	return n;
}

static void
put(struct buf *out, struct lex_head *h, enum lex_part part, const void *p, size_t len)
{
	static const char zeros[8];
	size_t base = out->len - h->size;

	h->part[part].at = h->size;
	h->part[part].len = len;
	if (len)
		buf_add(out, p, len);
	buf_add(out, zeros, (8 - (len & 7)) & 7);
	h->size = out->len - base;
}

/* The words by their hashes, and by their numbers. */
static void
put_words(struct buf *out, struct lex_head *h, const struct lex_make *m, const uint32_t *order)
{
	uint64_t bits = power((uint64_t)h->words * 16), slots = power((uint64_t)h->words * 2);
	uint64_t *bit = mem_zalloc(bits / 8);
	struct lex_slot *slot = mem_array(NULL, slots, sizeof *slot);

	memset(slot, 0xff, slots * sizeof *slot);
	for (uint32_t i = 0; i < h->words; i++) {
		uint32_t was = order[i], k;
		uint64_t hash = m->words.hash[was];

		bit[(hash & (bits - 1)) >> 6] |= (uint64_t)1 << (hash & 63);
		for (k = (uint32_t)(hash >> 32) & (uint32_t)(slots - 1); slot[k].word != LEX_NONE; k = (k + 1) & (uint32_t)(slots - 1))
			;
		slot[k] = (struct lex_slot){ (uint32_t)(hash >> 32), i, m->words.at[was], m->words.at[was + 1] - m->words.at[was] };
	}
	put(out, h, LEX_BITS, bit, bits / 8);
	put(out, h, LEX_SLOTS, slot, slots * sizeof *slot);
	put(out, h, LEX_WORDS, m->words.bytes.p, m->words.bytes.len);
	free(bit);
	free(slot);
}

static void
put_trie(struct buf *out, struct lex_head *h, const struct lex_make *m, const uint32_t *number)
{
	struct lex_trie t;

	lex_trie_make(&t, m, h->roots, number);
	h->states = t.states;
	put(out, h, LEX_FIRST, t.first, 4 * ((size_t)t.states + 1));
	put(out, h, LEX_BY, t.by, 4 * (size_t)t.states);
	put(out, h, LEX_FAIL, t.fail, 4 * (size_t)t.states);
	put(out, h, LEX_TAIL, t.tail, 4 * (size_t)t.states);
	put(out, h, LEX_TERM, t.term, 4 * (size_t)t.states);
	put(out, h, LEX_DEPTH, t.depth, t.states);
	lex_trie_free(&t);
}

static int
put_concepts(struct buf *out, struct lex_head *h, const struct lex_make *m)
{
	struct buf at = BUF_INIT, bytes = BUF_INIT;
	uint32_t off = 0;
	int rc;

	buf_add(&at, &off, 4);
	for (uint32_t c = 0; c < h->concepts; c++) {
		buf_add(&bytes, m->ids.bytes.p + m->ids.at[c], m->ids.at[c + 1] - m->ids.at[c]);
		off = (uint32_t)bytes.len;
		buf_add(&at, &off, 4);
		buf_add(&bytes, m->names.p + m->name[c].at, m->name[c].len);
		off = (uint32_t)bytes.len;
		buf_add(&at, &off, 4);
	}
	rc = bytes.len < UINT32_MAX ? 0 : -1;
	put(out, h, LEX_STRING_AT, at.p, at.len);
	put(out, h, LEX_STRING_BYTES, bytes.p, bytes.len);
	buf_free(&at);
	buf_free(&bytes);
	return rc;
}

int
lex_make_file(struct lex_make *m, const char *name, const char *form, const char *source, const char *made, struct buf *out)
{
	struct lex_head h = { .magic = LEX_MAGIC, .size = sizeof h, .words = m->words.n, .concepts = m->ids.n };
	uint32_t *order = mem_array(NULL, (size_t)m->words.n + 1, sizeof *order);
	uint32_t *number = mem_array(NULL, m->n + 1, sizeof *number);
	struct buf flags = BUF_INIT, link_at = BUF_INIT, links = BUF_INIT;
	size_t base = out->len;
	int rc;

	buf_add(out, &h, sizeof h);
	snprintf(h.name, sizeof h.name, "%s", name);
	snprintf(h.form, sizeof h.form, "%s", form);
	snprintf(h.source, sizeof h.source, "%s", source);
	snprintf(h.made, sizeof h.made, "%s", made);
	h.roots = number_words(m, order);
	if (m->n)
		qsort_r(m->term, m->n, sizeof *m->term, by_words, m->seq);
	h.terms = merge(m, number, &flags, &link_at, &links);
	h.links = (uint32_t)(links.len / 4);
	put_words(out, &h, m, order);
	put_trie(out, &h, m, number);
	put(out, &h, LEX_FLAGS, flags.p, flags.len);
	put(out, &h, LEX_LINK_AT, link_at.p, link_at.len);
	put(out, &h, LEX_LINKS, links.p, links.len);
	rc = put_concepts(out, &h, m);
	sha256_hex(out->p + base + sizeof h, out->len - base - sizeof h, h.id);
	memcpy(out->p + base, &h, sizeof h);
	buf_free(&flags);
	buf_free(&link_at);
	buf_free(&links);
	free(order);
	free(number);
	return rc;
}
