/* lexwords.h - a text as the words that vocabularies are looked up by, folded:
 * without case, accents and the differences that typesetting makes.
 *
 * A word is a run of letters and digits; each other printing character is a word
 * of its own, and so is each character of a script that is written without
 * spaces. White space and hyphens only separate, so "vitamin-D" is "vitamin D".
 * What one code point becomes is BERT's uncased normaliser (lower case, without
 * accents; embed/uni.h) with a few changes: ligatures are taken apart, typographic
 * quotes are ', superscript digits (mostly the numbers of notes) end a word.
 * Texts and terms go through the same code, so they agree by construction.
 * Broken UTF-8 separates. Linear, no allocation. */
#ifndef LEXWORDS_H
#define LEXWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEX_WORD = 256 };        /* bytes of a folded word; a longer one is in no vocabulary */

struct lex_words {
	const char *text;       /* borrowed */
	size_t len, at;
};

struct lex_token {
	size_t start, end;      /* its bytes in the text */
	uint64_t hash;          /* lex_hash of w */
	unsigned n;             /* folded bytes in w; 0: too long */
	unsigned letters;       /* as many as a reader would count; digits not */
	bool apart;             /* a blank line or a new page lies before it */
	char w[LEX_WORD];
};

void lex_words_of(struct lex_words *w, const char *text, size_t len);
/* The next one; false at the end. */
bool lex_next(struct lex_words *w, struct lex_token *t);

#endif
