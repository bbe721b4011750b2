/* engine.h - a PDF's pages as blocks in reading order: the built-in engine.
 *
 * It runs poppler's pdfinfo and pdftotext as child processes under limits
 * (proc.h) and makes blocks of the words and boxes that they print, while they
 * print them: headings, paragraphs, lists, tables, footnotes, and what repeats
 * at the edges of pages. Any bytes may be given. Not thread-safe per object.
 */
#ifndef PDF_ENGINE_H
#define PDF_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"
#include "pdf/bbox.h"

struct pdf_fault {
	const char *code;       /* "encrypted", "bad_pdf", "page_mismatch", "timeout", "too_large", "no_pdf_tool", "pdf_failed" */
	char message[700];
	bool retry;
};

struct pdf_engine {
	unsigned long cpu_s;    /* per process; twice that in real time */
	size_t memory;          /* bytes of a process */
	size_t text_max;        /* bytes of all text */
	struct pdf_doc doc;
	struct bbox bbox;
};
#define PDF_ENGINE_INIT { 300, (size_t)1 << 30, (size_t)64 << 20, { .body = 0 }, BBOX_INIT }

/* "builtin/1 poppler 22.12.0": a static string. NULL: pdftotext can't be run. */
const char *pdf_engine_name(void);

/* How many pages the file behind fd has, at least one. 0, or -1 with *fault. */
int pdf_pages(struct pdf_engine *e, int fd, size_t *pages, struct pdf_fault *fault);
/* Whether its first pages have pictures. */
bool pdf_scanned(struct pdf_engine *e, int fd);

/* Appends the blocks of the file behind fd, which is read from its beginning, to
 * blocks: a JSON array, see docs/mineru.1, as yet unchecked (check.h). e->doc.title is
 * what the file calls itself. 0, or -1 with *fault. */
int pdf_parse(struct pdf_engine *e, int fd, struct buf *blocks, size_t *pages, struct pdf_fault *fault);

/* The half behind the processes: what pdftotext -bbox -raw printed, fed into
 * e->bbox, as blocks. */
void pdf_blocks(struct pdf_engine *e, struct buf *blocks);

#endif
