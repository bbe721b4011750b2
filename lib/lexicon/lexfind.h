/* lexfind.h - the terms of one vocabulary in one text: of those that overlap the
 * one that begins first, of those that begin together the longest. A term does not
 * reach over a blank line. Linear in the text: each word is read again at most
 * LEX_TERM_WORDS times, and only behind a term. One struct a vocabulary, used
 * again for the next text. */
#ifndef LEXFIND_H
#define LEXFIND_H

#include "lexicon/lex.h"
#include "lexicon/lexwords.h"

struct lex_found {
	uint32_t term;
	size_t start, end;      /* bytes in the text */
};

struct lex_find {
	const struct lex *x;
	void (*found)(void *ctx, const struct lex_found *);
	void *ctx;
	/* Words since the root, which a longer term may still want. */
	struct lex_seen { size_t start, end; uint32_t word; } *seen;    /* owned */
	size_t n, cap, next;
	uint32_t state;
	size_t best_from, best_to;      /* places in seen; the best so far where best_term */
	uint32_t best_term;             /* 1 + the term, or 0 */
};

/* Each word of the text in turn, with its number in x (lex_word), then the end. */
void lex_find_word(struct lex_find *f, const struct lex_token *t, uint32_t word);
void lex_find_end(struct lex_find *f);
void lex_find_free(struct lex_find *f);

#endif
