/* lexlook.h - what RxNav and the ICD API answer when they are asked for a name. Pure
 * functions on bytes that others sent. */
#ifndef LEXLOOK_H
#define LEXLOOK_H

#include <stddef.h>

#include "mem.h"

enum lex_look { LEX_LOOK_FOUND, LEX_LOOK_NONE, LEX_LOOK_BAD };

/* Appends the ids that the answer has for name, as JSON strings with commas between.
 * LEX_LOOK_BAD: it is no answer of this service.
 * rxnorm: rxcui.json. icd11: a search of the MMS; of what it finds, entities whose title
 * or synonym is the name, folded as in lexwords.h: a search also finds what is alike. */
enum lex_look lex_look_rxnorm(struct buf *out, const char *p, size_t len, const char *name, size_t name_len);
enum lex_look lex_look_icd11(struct buf *out, const char *p, size_t len, const char *name, size_t name_len);

#endif
