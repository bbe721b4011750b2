/* table.h - a table in HTML, as parsers give them, to lines of text: a row a line,
 * cells separated by a tab. A table inside a cell is text of the cell. A cell over
 * several rows or columns stands once in each row (if it is short) and once in
 * its first column. Tolerant of any input, linear in it; the output is at most about five times as long. Never prints.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

#include "mem.h"

/* Appends the rows of the table in p to out, without a line end behind the last one.
 * Returns how many bytes the header rows take there, with their line ends (those in
 * <thead> or of <th> only, at most three; else the first one); 0 where there is nothing
 * but a header. Text that stands in no cell is left out; with no cell at all nothing comes. */
size_t table_text(struct buf *out, const char *p, size_t len);

#endif
