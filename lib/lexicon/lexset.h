/* lexset.h - the vocabularies of a folder, NAME.lex each, looked up in a text together.
 * Opened again when the folder has changed: files are put there by rename. */
#ifndef LEXSET_H
#define LEXSET_H

#include <sys/stat.h>

#include "lexicon/lexfind.h"

enum { LEX_MOST = 64 };         /* vocabularies */

struct lex_set {
	const char *folder;
	const char *only;       /* names by ','; NULL: all */
	struct lex x[LEX_MOST];
	struct lex_find find[LEX_MOST];
	unsigned n;
	struct timespec seen;   /* the folder's time when it was read */
	bool opened;
};

/* Opens what there is, if it has not been or the folder has changed since: 1 then, 0
 * when all is as it was. A folder that is not there has none. -1 with *f: one of
 * them can't be used, or one that only names is missing; then none is open. */
int lex_set_open(struct lex_set *s, struct fault *f);

/* Calls found(ctx, i, m) for each term of s->x[i] in the text: those of one
 * vocabulary in their order. */
void lex_set_find(struct lex_set *s, const char *text, size_t len,
    void (*found)(void *ctx, unsigned i, const struct lex_found *), void *ctx);

#endif
