/* lexfold.h - what one character becomes in a folded word (lexwords.h). */
#ifndef LEXFOLD_H
#define LEXFOLD_H

#include <stddef.h>

/* GONE: it leaves nothing; ALONE: a word by itself. */
enum lex_kind { LEX_GONE, LEX_SPACE, LEX_ALONE, LEX_LETTER };

struct lex_glyph {
	enum lex_kind kind;
	unsigned n;             /* bytes in s */
	unsigned letters;       /* as many as a reader would count; digits not */
	char s[40];
};

/* Of ASCII: the folded letter or digit, or one of these; of other bytes LEX_DROP. */
enum { LEX_DROP = 0, LEX_BLANK = 1, LEX_SIGN = 2 };
extern const unsigned char lex_ascii[256];

/* One character that is not ASCII; returns its bytes. Broken UTF-8 is a space of one. */
size_t lex_glyph(const char *p, const char *end, struct lex_glyph *g);

#endif
