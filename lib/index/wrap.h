/* wrap.h - text of unknown origin, made fit for a terminal: white space runs
 * become one space, other control characters (escape sequences too) vanish,
 * lines are filled to a width counted in columns.
 *
 * Needs a UTF-8 LC_CTYPE (setlocale) for the widths. Never prints, never exits
 * (but see mem.h).
 */
#ifndef WRAP_H
#define WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* What marks the words that were looked for, as sluice.search_show sets it. */
enum { WRAP_ON = 1, WRAP_OFF = 2 };

/* Appends text in lines of at most width columns, each after indent spaces and
 * ended by LF; at most lines of them, a cut shown by "...". Words longer than
 * a line are broken. Marked words are shown bold, or as they are. */
void wrap_text(struct buf *out, const char *text, size_t len, unsigned indent,
    unsigned width, unsigned lines, bool bold);

/* Appends text on one line without its control characters, no LF. */
void wrap_line(struct buf *out, const char *text, size_t len);

#endif
