/* wordpiece.h - UTF-8 text to BERT's uncased WordPiece tokens, the same ids and
 * offsets as the reference (the "tokenizers" package with the model's
 * tokenizer.json), for the embedding engine and for whoever sizes text in the
 * model's own tokens.
 *
 * Text is normalised code point by code point (controls dropped, any white
 * space a space, NFD with nonspacing marks dropped, lower case), split into
 * words at spaces, around punctuation and around CJK ideographs, and each word
 * into the longest pieces of the vocabulary from the left. A word of more
 * than 100 code points, or with a part that is no piece, is one [UNK]. The
 * literal text "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]" is that special
 * token, as in the reference. Bytes that are not UTF-8 are dropped like
 * U+FFFD. (Offsets differ from the reference only for an [UNK] word that begins
 * or ends in several marks out of their canonical order.) No [CLS] or [SEP] is added: add WORDPIECE_FRAME to compare with a
 * model's limit.
 */
#ifndef WORDPIECE_H
#define WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "embed/vocab.h"

enum {
	WORDPIECE_FRAME = 2,    /* [CLS] and [SEP] */
	WORDPIECE_WORD = 100    /* code points of the longest word that is not [UNK] */
};

/* start, end: bytes in the text, end exclusive, on code point borders. Dropped
 * code points before the first or after the last of a token are outside it,
 * so a combining accent that ends a word lies between its token's end and the
 * next start: whoever cuts text must cut at a start. A code point that makes
 * several tokens (a Hangul syllable) gives each of them its whole span, so
 * neighbours may have the same start; starts and ends never decrease. A token
 * may be long: a word without end is one [UNK]. */
struct wp_token {
	uint32_t id, start, end;
};

struct wp_tokens {
	struct wp_token *t;     /* owned */
	size_t n, cap;
};
#define WP_TOKENS_INIT { NULL, 0, 0 }

/* Appends the tokens of text[0..len) to out; stops early, at a word's end, when
 * at least max have been appended (0: never). Some 95 MB/s on English
 * prose, 35 on a mixture of languages. Several threads may share v. 0, or -1 with EFBIG when len is 4 GiB or more
 * (nothing appended). */
int wordpiece(const struct vocab *v, const char *text, size_t len, size_t max, struct wp_tokens *out);

void wp_tokens_free(struct wp_tokens *t);

#endif
