/* lex.h - a compiled vocabulary: terms, the concepts that they name, and the
 * automaton that finds them (Aho-Corasick over whole words, so that its memory
 * goes by words and borders need no test). One file, mapped read-only, made by
 * lexmake.h; opening it costs no time but a check of every number in it, so a file
 * that is broken is refused and never followed. Read-only after lex_open: threads may
 * share it. Files are little-endian and replaced by rename.
 *
 * States are numbered breadth first, children of one state side by side in the
 * order of their words, so a state's children are first[s] .. first[s + 1). State 0
 * is the root. Words that begin a term have the lowest numbers: the root's child by
 * word w is w + 1. */
#ifndef LEX_H
#define LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "embed/fault.h"
#include "embed/map.h"

enum {
	LEX_TERM_WORDS = 64,    /* most words of a term */
	LEX_NAME = 33,          /* a vocabulary's name and its NUL */
	LEX_NONE = 0xffffffff,  /* no word */
	LEX_ABBREVIATION = 1    /* a term that lower-case letters in a text do not mean */
};

enum lex_part {
	LEX_BITS,               /* u64: a bit for each hash that is in slots */
	LEX_SLOTS,              /* struct lex_slot, a power of two */
	LEX_WORDS,              /* the bytes of all words */
	LEX_FIRST,              /* u32[states + 1] */
	LEX_BY,                 /* u32[states]: the word that leads here */
	LEX_FAIL,               /* u32[states]: the longest other end of this that begins a term */
	LEX_TAIL,               /* u32[states]: the longest end of this that is a term; 0 none */
	LEX_TERM,               /* u32[states]: 1 + the term that ends here, or 0 */
	LEX_DEPTH,              /* u8[states] */
	LEX_FLAGS,              /* u8[terms] */
	LEX_LINK_AT, LEX_LINKS, /* u32[terms + 1], u32: each term's concepts, the best first */
	LEX_STRING_AT, LEX_STRING_BYTES,        /* u32[2 * concepts + 1]: id and name of each */
	LEX_PARTS
};

struct lex_head {
	char magic[8];          /* LEX_MAGIC */
	uint64_t size;          /* of the file */
	uint32_t words, roots, states, terms, links, concepts;
	char name[LEX_NAME], form[15];
	char source[65], id[65];        /* sha256 in hex: of the file it was made of; of all behind this head */
	char made[22];          /* "2026-11-22T12:00:00Z" */
	struct { uint64_t at, len; } part[LEX_PARTS];
};
#define LEX_MAGIC "lexicon\4"      /* another number whenever the form or folding changes */

struct lex_slot {
	uint32_t hash, word, at, len;   /* at, len: of its bytes */
};

struct lex {
	struct map file;
	const struct lex_head *h;
	const uint64_t *bits;
	uint64_t bit_mask;
	const struct lex_slot *slot;
	uint32_t slot_mask;
	const uint32_t *first, *by, *fail, *tail, *term, *link_at, *link, *string_at;
	const unsigned char *depth, *flags;
	const char *word_bytes, *string_bytes;
};
#define LEX_INIT { .file = MAP_INIT }

/* 0, or -1 with *f. */
int lex_open(struct lex *x, const char *path, struct fault *f);
void lex_close(struct lex *x);
/* The same on bytes in memory, aligned to 8, which must outlive x. */
int lex_view(struct lex *x, const void *p, size_t len, struct fault *f);

/* The number of a folded word, or LEX_NONE, as of one of 0 bytes. hash: its lex_hash. */
uint32_t lex_word(const struct lex *x, uint64_t hash, const char *p, unsigned n);

/* Its memory, for when it is asked soon. */
static inline void
lex_prefetch(const struct lex *x, uint64_t hash)
{
	__builtin_prefetch(&x->bits[(hash & x->bit_mask) >> 6]);
	__builtin_prefetch(&x->slot[(uint32_t)(hash >> 32) & x->slot_mask]);
}

/* The same of where the word leads from the root. */
static inline void
lex_prefetch_word(const struct lex *x, uint32_t word)
{
	if (word >= x->h->roots)
		return;
	__builtin_prefetch(&x->first[word + 1]);
	__builtin_prefetch(&x->tail[word + 1]);
	__builtin_prefetch(&x->term[word + 1]);
	__builtin_prefetch(&x->fail[word + 1]);
	__builtin_prefetch(&x->depth[word + 1]);
}

/* Where word w leads from state s: 0 for nowhere. */
static inline uint32_t
lex_child(const struct lex *x, uint32_t s, uint32_t w)
{
	uint32_t lo, hi;

	if (!s)
		return w < x->h->roots ? w + 1 : 0;
	lo = x->first[s];
	hi = x->first[s + 1];
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->by[mid] == w)
			return mid;
		if (x->by[mid] < w)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* A concept's id and name; not NUL-terminated. */
const char *lex_id(const struct lex *x, uint32_t concept, size_t *len);
const char *lex_name(const struct lex *x, uint32_t concept, size_t *len);

/* a-z, 0-9 and -, 1 to 32 bytes. */
bool lex_name_ok(const char *name);

#endif
