#include "lexicon/lex.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vocabulary files are little-endian");

bool
lex_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n < LEX_NAME && !name[n];
}

/* Bytes that a part must have; LEX_NONE + 1: any number. */
static uint64_t
want(const struct lex_head *h, enum lex_part part)
{
	switch (part) {
	case LEX_FIRST: return 4 * ((uint64_t)h->states + 1);
	case LEX_BY: case LEX_FAIL: case LEX_TAIL: case LEX_TERM: return 4 * (uint64_t)h->states;
	case LEX_DEPTH: return h->states;
	case LEX_FLAGS: return h->terms;
	case LEX_LINK_AT: return 4 * ((uint64_t)h->terms + 1);
	case LEX_LINKS: return 4 * (uint64_t)h->links;
	case LEX_STRING_AT: return 4 * (2 * (uint64_t)h->concepts + 1);
	default: return (uint64_t)LEX_NONE + 1;
	}
}

static bool
power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static bool
head_ok(const struct lex_head *h, size_t len)
{
	if (len < sizeof *h || memcmp(h->magic, LEX_MAGIC, sizeof h->magic) != 0 || h->size != len ||
	    !memchr(h->name, 0, sizeof h->name) || !lex_name_ok(h->name) || !memchr(h->form, 0, sizeof h->form) ||
	    h->source[64] || h->id[64] || strspn(h->id, "0123456789abcdef") != 64 ||
	    strspn(h->source, "0123456789abcdef") != 64 || !memchr(h->made, 0, sizeof h->made))
		return false;
	for (int i = 0; i < LEX_PARTS; i++) {
		uint64_t at = h->part[i].at, n = h->part[i].len, w = want(h, (enum lex_part)i);

		if (at % 8 || at < sizeof *h || at > len || n > len - at || (w <= LEX_NONE && n != w))
			return false;
		if (i >= LEX_FIRST && i <= LEX_TERM && n > 4 * ((uint64_t)LEX_NONE - 1))
			return false;
	}
	return h->states && h->roots < h->states && h->roots <= h->words &&
	    power_of_two(h->part[LEX_BITS].len / 8) && h->part[LEX_BITS].len % 8 == 0 &&
	    power_of_two(h->part[LEX_SLOTS].len / sizeof(struct lex_slot)) &&
	    h->part[LEX_SLOTS].len % sizeof(struct lex_slot) == 0 &&
	    h->part[LEX_SLOTS].len / sizeof(struct lex_slot) <= LEX_NONE;
}

/* n offsets that never go back, from 0 to end. */
static bool
rises(const uint32_t *at, uint64_t n, uint64_t end)
{
	for (uint64_t i = 1; i < n; i++)
		if (at[i] < at[i - 1])
			return false;
	return at[0] == 0 && at[n - 1] == end;
}

static bool
below(const uint32_t *v, uint64_t n, uint64_t end)
{
	for (uint64_t i = 0; i < n; i++)
		if (v[i] >= end)
			return false;
	return true;
}

/* Every way from a state leads to another one of the file, deeper by children, less deep by fail. */
static bool
states_ok(const struct lex *x)
{
	const struct lex_head *h = x->h;

	if (x->depth[0] || x->fail[0] || x->tail[0] || x->term[0] || x->first[0] != 1 || x->first[1] != h->roots + 1 ||
	    x->first[h->states] != h->states)
		return false;
	for (uint32_t s = 0; s < h->states; s++) {
		if (x->first[s] > x->first[s + 1] || x->first[s] <= s || x->term[s] > h->terms)
			return false;
		for (uint32_t c = x->first[s]; c < x->first[s + 1]; c++)
			if (c >= h->states || x->depth[c] != x->depth[s] + 1 || x->depth[c] > LEX_TERM_WORDS ||
			    x->by[c] >= h->words || (c > x->first[s] && x->by[c] <= x->by[c - 1]) || (!s && x->by[c] != c - 1))
				return false;
		if (s && (x->fail[s] >= h->states || x->depth[x->fail[s]] >= x->depth[s] || !x->depth[s] ||
		    x->tail[s] >= h->states || x->depth[x->tail[s]] > x->depth[s] || (x->tail[s] && !x->term[x->tail[s]])))
			return false;
	}
	return true;
}

static bool
tables_ok(const struct lex *x)
{
	const struct lex_head *h = x->h;

	for (uint64_t i = 0; i <= x->slot_mask; i++)
		if (x->slot[i].word != LEX_NONE && (x->slot[i].word >= h->words ||
		    x->slot[i].at > h->part[LEX_WORDS].len || x->slot[i].len > h->part[LEX_WORDS].len - x->slot[i].at))
			return false;
	return rises(x->link_at, (uint64_t)h->terms + 1, h->links) && below(x->link, h->links, h->concepts) &&
	    rises(x->string_at, 2 * (uint64_t)h->concepts + 1, h->part[LEX_STRING_BYTES].len);
}

static const uint32_t *
numbers(const struct lex_head *h, enum lex_part part)
{
	return (const uint32_t *)(const void *)((const char *)h + h->part[part].at);
}

int
lex_view(struct lex *x, const void *p, size_t len, struct fault *f)
{
	const struct lex_head *h = p;
	const char *base = p;

	if (!head_ok(h, len))
		return fault_set(f, "no vocabulary of this version, or not whole: compile it again");
	x->h = h;
	x->bits = (const uint64_t *)(const void *)(base + h->part[LEX_BITS].at);
	x->bit_mask = h->part[LEX_BITS].len * 8 - 1;
	x->slot = (const struct lex_slot *)(const void *)(base + h->part[LEX_SLOTS].at);
	x->slot_mask = (uint32_t)(h->part[LEX_SLOTS].len / sizeof *x->slot - 1);
	x->first = numbers(h, LEX_FIRST);
	x->by = numbers(h, LEX_BY);
	x->fail = numbers(h, LEX_FAIL);
	x->tail = numbers(h, LEX_TAIL);
	x->term = numbers(h, LEX_TERM);
	x->link_at = numbers(h, LEX_LINK_AT);
	x->link = numbers(h, LEX_LINKS);
	x->string_at = numbers(h, LEX_STRING_AT);
	x->depth = (const unsigned char *)base + h->part[LEX_DEPTH].at;
	x->flags = (const unsigned char *)base + h->part[LEX_FLAGS].at;
	x->word_bytes = base + h->part[LEX_WORDS].at;
	x->string_bytes = base + h->part[LEX_STRING_BYTES].at;
	if (!tables_ok(x) || !states_ok(x))
		return fault_set(f, "a number in it leads nowhere: compile it again");
	return 0;
}

int
lex_open(struct lex *x, const char *path, struct fault *f)
{
	struct fault why;

	if (map_open(&x->file, path, f) < 0)
		return -1;
	if (lex_view(x, x->file.p, x->file.len, &why) == 0)
		return 0;
	map_close(&x->file);
	return fault_set(f, "%s: %s", path, why.text);
}

void
lex_close(struct lex *x)
{
	map_close(&x->file);
}

uint32_t
lex_word(const struct lex *x, uint64_t hash, const char *p, unsigned n)
{
	uint64_t bit = hash & x->bit_mask;
	uint32_t tag = (uint32_t)(hash >> 32), at = tag & x->slot_mask;

	if (!n || !(x->bits[bit >> 6] >> (bit & 63) & 1))
		return LEX_NONE;
	for (uint64_t i = 0; i <= x->slot_mask; i++, at = (at + 1) & x->slot_mask) {
		const struct lex_slot *slot = &x->slot[at];

		if (slot->word == LEX_NONE)
			return LEX_NONE;
		if (slot->hash == tag && slot->len == n && memcmp(x->word_bytes + slot->at, p, n) == 0)
			return slot->word;
	}
	return LEX_NONE;
}

static const char *
string(const struct lex *x, size_t i, size_t *len)
{
	*len = x->string_at[i + 1] - x->string_at[i];
	return x->string_bytes + x->string_at[i];
}

const char *
lex_id(const struct lex *x, uint32_t concept, size_t *len)
{
	return string(x, 2 * (size_t)concept, len);
}

const char *
lex_name(const struct lex *x, uint32_t concept, size_t *len)
{
	return string(x, 2 * (size_t)concept + 1, len);
}
