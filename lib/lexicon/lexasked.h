/* lexasked.h - names that a service was asked for, and what it said: as many as there
 * are names in the vocabularies, for as long as the process lives. */
#ifndef LEXASKED_H
#define LEXASKED_H

#include <stdbool.h>

#include "lexicon/lexmake.h"

struct lex_asked {
	struct lex_strings names;
	struct buf answers;
	struct lex_known {
		size_t at, len;         /* of the answer in answers */
		void *asking;           /* the caller's: who waits for the answer */
		bool known;
	} *known;               /* owned; moves when names come */
	uint32_t cap;
};

/* The number of a name; UINT32_MAX: there is no room for more. */
uint32_t lex_asked_number(struct lex_asked *a, const char *name, size_t len);
/* Notes an answer, once. */
void lex_asked_note(struct lex_asked *a, uint32_t number, const char *answer, size_t len);

#endif
