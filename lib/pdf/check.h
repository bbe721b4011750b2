/* check.h - is this a document's list of blocks? What is asked of the built-in
 * engine and of a server alike.
 *
 * The list is a JSON array of objects as in docs/mineru.1. Functions never print.
 */
#ifndef PDF_CHECK_H
#define PDF_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

enum { CHECK_CHARS = 100, CHECK_SPARSE = 50 };

struct check {
	size_t pages;           /* what the file has */
	size_t blocks, chars;   /* of its text: no headers, footers and page numbers, no white space, no tags */
	struct buf sparse;      /* owned: "3,4,9": pages from 1 with less than CHECK_SPARSE characters */
	const char *code;       /* why not: "bad_blocks", "page_mismatch", "no_text" */
	char message[256];
};
#define CHECK_INIT { 0, 0, 0, BUF_INIT, NULL, "" }

/* json[0..len) against c->pages; fills the rest of c. min: the least characters.
 * 0, or -1 with code and message. */
int check_blocks(struct check *c, const char *json, size_t len, size_t min);

#endif
