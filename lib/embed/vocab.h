/* vocab.h - a WordPiece vocabulary: vocab.txt as BERT's, one piece a line, the
 * line's number from 0 is the id, pieces that continue a word begin with
 * "##". The file stays mapped; the table over it takes about 1 MB and a
 * millisecond to make. Read-only after vocab_open, so threads may share it.
 */
#ifndef VOCAB_H
#define VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "embed/map.h"

enum { VOCAB_NONE = -1, VOCAB_LONGEST = 255, VOCAB_SPECIALS = 5 };

struct vocab {
	struct map file;
	size_t n;               /* pieces */
	size_t longest;         /* bytes of the longest piece, without "##" */
	uint32_t unk, cls, sep, pad, mask;
	struct vocab_slot *slot;        /* owned: open addressing, mask + 1 slots */
	uint32_t slot_mask;
};
#define VOCAB_INIT { MAP_INIT, 0, 0, 0, 0, 0, 0, 0, NULL, 0 }

/* 0, or -1 with *f: unreadable, torn (no LF at the end), broken UTF-8, empty
 * or over-long lines, or one of [UNK] [CLS] [SEP] [PAD] [MASK] missing. Of
 * equal lines the last counts, as in the reference. */
int vocab_open(struct vocab *v, const char *path, struct fault *f);
void vocab_close(struct vocab *v);

/* The hash of a piece, built byte by byte, so that one pass over a word
 * gives the hashes of all its prefixes. cont: 1 for a piece that continues a
 * word ("##"), which is then looked up without its "##". */
static inline uint32_t
vocab_seed(int cont)
{
	return cont ? 0x9747b28cU : 0x811c9dc5U;
}

static inline uint32_t
vocab_step(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 16777619U;
}

/* The id of the piece, or VOCAB_NONE. h: its hash. */
int32_t vocab_find(const struct vocab *v, const char *p, size_t len, int cont, uint32_t h);
/* The special token ("[SEP]") that text begins with, or VOCAB_NONE; *len: its bytes. */
int32_t vocab_special(const struct vocab *v, const char *p, const char *end, size_t *len);
/* The bytes of piece id, as in the file. id < n. Borrowed. Slow: for tests and messages. */
const char *vocab_piece(const struct vocab *v, uint32_t id, size_t *len);

#endif
