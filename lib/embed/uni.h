/* uni.h - what BERT's uncased normaliser and pre-tokeniser do to one code
 * point, as tables that uni-make.py derives from the reference itself (the
 * Unicode versions behind its parts differ, so no single Unicode version
 * gives the same answers). See wordpiece.h for the rules. */
#ifndef UNI_H
#define UNI_H

#include <stdint.h>

enum {
	UNI_KEEP,       /* stands for itself */
	UNI_DROP,       /* controls, formats, private use, nonspacing marks, U+FFFD */
	UNI_SPACE,
	UNI_ALONE,      /* a word of its own: punctuation, CJK ideographs */
	UNI_HANGUL,     /* a syllable: decomposes by arithmetic */
	UNI_MAP         /* UNI_MAP + i: becomes the code points at uni_pool[i] */
};

enum { UNI_SHIFT = 6, UNI_BLOCK = 1 << UNI_SHIFT };

/* At uni_pool[i]: how many code points, then they themselves, each of them
 * UNI_KEEP or UNI_ALONE. */
extern const uint8_t uni_block[0x110000 >> UNI_SHIFT];
extern const uint16_t uni_class_of[][UNI_BLOCK];
extern const uint32_t uni_pool[];

/* cp < 0x110000 */
static inline unsigned
uni_class(uint32_t cp)
{
	return uni_class_of[uni_block[cp >> UNI_SHIFT]][cp & (UNI_BLOCK - 1)];
}

#endif
