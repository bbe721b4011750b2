/* lang.h - which language a text is in, by its script, its commonest words and
 * its letters: ar bg ca cs da de el en es fa fi fr he hi hu id it ja ko lt
 * nl no pl pt ro ru sv th tr uk zh, or "und" when that is not clear.
 */
#ifndef LANG_H
#define LANG_H

#include <stddef.h>

/* A static string: an ISO 639-1 code or "und". Reads at most some 100 KB:
 * the beginning, the middle and the end. */
const char *lang_detect(const char *p, size_t len);

#endif
