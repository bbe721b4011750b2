/* words.h - lists of words in a string. No memory of its own. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether word[0..len) is one of the words of list, which the characters of between separate; case
 * counts, the empty word is never one. list may be NULL. */
bool words_have(const char *list, const char *between, const char *word, size_t len);

#endif
