/* sentence.h - where sentences and paragraphs begin, in UTF-8 text of any
 * language that we know of.
 *
 * A paragraph ends at a blank line, a form feed or U+2029. A sentence ends
 * behind . ! ? and their kin when white space follows and no small letter
 * after it, not behind abbreviations, initials and short numbers; behind
 * 。！？ wherever they stand; and before a list item or a row of a table on a
 * new line. Linear: a walk over the whole text looks at each byte a bounded
 * number of times. Bytes that are no UTF-8 do no harm.
 */
#ifndef SENTENCE_H
#define SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

/* at: where a sentence begins. Returns where the next one begins, white space
 * skipped; len when there is none. *para: it begins a paragraph, too. */
size_t sentence_next(const char *p, size_t len, size_t at, bool *para);

/* Length of the white space character at p: ASCII or Unicode, 0 if none. */
size_t sentence_space(const char *p, const char *end);

/* p[0..len) without the white space at its end. Looks only at what it drops. */
size_t sentence_trim(const char *p, size_t len);

#endif
