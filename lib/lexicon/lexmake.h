/* lexmake.h - terms into a compiled vocabulary (lex.h), in memory. Terms come in any
 * order; a concept's name is the one given with the least rank, and so is the concept
 * that a term with several of them means first. Out of memory ends the process
 * (mem.h); all else is a status. One thread. */
#ifndef LEXMAKE_H
#define LEXMAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lexicon/lex.h"
#include "mem.h"

/* Byte strings with numbers from 0. */
struct lex_strings {
	struct buf bytes;
	uint32_t *at;           /* owned: n + 1 offsets */
	uint64_t *hash;         /* owned */
	uint32_t n, cap;
	uint32_t *slot, slots;  /* owned: 1 + number */
};

struct lex_made_term {
	uint32_t seq, concept, order;   /* seq: where its words are */
	uint16_t rank;
	unsigned char n, flags;
};

struct lex_make {
	struct lex_strings words, ids;
	struct { uint32_t at, len, rank; } *name;       /* owned: of each concept */
	struct buf names;
	uint32_t name_cap;
	uint32_t *seq;          /* owned: words of all terms */
	size_t seq_n, seq_cap;
	struct lex_made_term *term;     /* owned */
	size_t n, cap;
	/* settings */
	unsigned letters;       /* a term with fewer is left out */
	bool abbreviations;     /* up to five capitals mean only themselves */
};

enum lex_made {
	LEX_ADDED, LEX_SHORT, LEX_LONG, LEX_FULL        /* more than this form of file can hold */
};

struct lex_row {
	const char *concept, *term, *name;      /* name: NULL for the term itself */
	size_t concept_len, term_len, name_len;
	unsigned rank;
};

void lex_make_free(struct lex_make *m);
enum lex_made lex_make_add(struct lex_make *m, const struct lex_row *row);

/* Appends the whole file to out. The words, terms and sequences of m are put in order
 * by it: once only. source: sha256 in hex; made: a time. 0, or -1 when it is over
 * what the form can hold. */
int lex_make_file(struct lex_make *m, const char *name, const char *form, const char *source,
    const char *made, struct buf *out);

/* lexstrings.c. The number of a string, new if need be; hash mixed. UINT32_MAX: full. */
void lex_strings_free(struct lex_strings *s);
uint32_t lex_intern(struct lex_strings *s, const char *p, size_t len, uint64_t hash);

/* lextrie.c: the automaton's arrays, owned. Terms in order of their words come in. */
struct lex_trie {
	uint32_t *first, *by, *fail, *tail, *term, states, cap;
	unsigned char *depth;
	uint32_t roots;
};
void lex_trie_make(struct lex_trie *t, const struct lex_make *m, uint32_t roots, const uint32_t *number);
void lex_trie_free(struct lex_trie *t);

#endif
