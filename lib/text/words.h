/* words.h - the commonest words of languages: lang.c's table. Languages in
 * Latin script first, then from WORDS_CYRILLIC on those in Cyrillic. */
#ifndef WORDS_H
#define WORDS_H

enum { WORDS_CYRILLIC = 19, WORDS_LANGS = 22 };

struct words_lang {
	const char *code;
	const char *words;      /* small letters, one space between */
	const char *letters;    /* two-byte letters that few other languages have */
};

extern const struct words_lang words_langs[WORDS_LANGS];

#endif
