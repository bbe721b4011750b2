/* units.h - the words of a text with their token counts and what begins at
 * them: what plan.h packs. A word is never split by the packer; one that is too
 * large for a chunk is several units here. Not for others. */
#ifndef UNITS_H
#define UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "embed/wordpiece.h"

enum {
	UNIT_SENTENCE = 1,
	UNIT_PARAGRAPH = 2,
	UNIT_SECTION = 8,       /* set by who knows a layout */
	UNIT_ROUGH = 4          /* its tokens are an estimate: a part of a large word */
};

struct unit {
	uint32_t start, end;    /* bytes; dropped characters at the edges are outside */
	uint16_t tokens;
	uint16_t flags;
};

struct units {
	struct unit *u;         /* owned */
	size_t n, cap;
	struct wp_tokens work;
	unsigned char *cont;    /* owned: by token id, 1 if it continues a word */
};
#define UNITS_INIT { NULL, 0, 0, WP_TOKENS_INIT, NULL }

/* Fills us with the units of text; words over limit tokens or bytes bytes are
 * cut. len is below 4 GiB. */
void units_fill(struct units *us, const struct vocab *v, const char *text, size_t len,
    unsigned limit, size_t bytes);
void units_free(struct units *us);

/* i, moved down to the nearest UTF-8 border. */
size_t units_border(const char *text, size_t i);

#endif
