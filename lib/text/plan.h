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
	uint32_t tokens;        /* of text[start..end) by itself, without [CLS] and [SEP] */
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
void plan_free(struct plan *out);

#endif
