/* plan.h - a text cut into chunks, sized in the model's own tokens.
 *
 * Sentences are packed greedily; a chunk ends at a paragraph's end when it is
 * at least half full there, else at a sentence's, and inside a sentence, between
 * words, only when that sentence alone is over the limit. Each chunk but the first
 * repeats the end of the one before, at most overlap tokens: whole sentences
 * where one fits, else whole words. A chunk begins and ends with text, never with white
 * space, always on UTF-8 borders; together the chunks hold every byte of the text
 * that is neither white space nor something that the tokenizer drops. A chunk is also
 * at most PLAN_BYTES bytes per token long, which cuts words without end (base64
 * in a text). Time is linear in the text, memory some 16 bytes a word.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "embed/wordpiece.h"

enum { PLAN_BYTES = 64 };

struct plan_chunk {
	uint32_t start, end;    /* bytes in the text */
	uint32_t tokens;        /* of all its text, without [CLS] and [SEP] */
	uint32_t head, head_end;        /* bytes that are told before them: the header of a table
	                                 * that is cut (cut.h); 0, 0: none */
};

/* What a text's layout adds: places where a section begins (a chunk ends there when it
 * is at least a quarter full), and places right behind a heading (none ends there, if
 * it can be helped). In order, bytes from the text's begin. */
struct plan_marks {
	const uint32_t *section, *behind;
	size_t section_n, behind_n;
};

struct plan {
	struct plan_chunk *c;   /* owned */
	size_t n, cap;
};
#define PLAN_INIT { NULL, 0, 0 }

/* limit: tokens in a chunk, at least 16; overlap: at most limit / 2. Fills
 * *out anew; n is 0 for a text without tokens. 0, or -1 with EFBIG when len is 4 GiB
 * or more. */
int plan_text(const struct vocab *v, const char *text, size_t len, unsigned limit,
    unsigned overlap, struct plan *out);
/* The same for the part [from, to) of a text, with marks (NULL: none): the chunks
 * are added to out, their places are those in the text. */
int plan_part(const struct vocab *v, const char *text, size_t from, size_t to, unsigned limit,
    unsigned overlap, const struct plan_marks *marks, struct plan *out);
/* Adds a chunk. */
void plan_add(struct plan *out, const struct plan_chunk *c);
void plan_free(struct plan *out);

#endif
