/* fuzz-pdf-blocks - any bytes as what pdftotext printed, in pieces: the blocks are JSON in
 * valid UTF-8, each within its pages, and the same whatever the pieces are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pdf/check.h"
#include "pdf/engine.h"
#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* false: it was refused. */
static bool
blocks(struct pdf_engine *e, const char *p, size_t len, size_t piece, struct buf *out)
{
	out->len = 0;
	bbox_begin(&e->bbox, &e->doc, 1 << 20);
	for (size_t i = 0; i < len; i += piece)
		if (bbox_feed(&e->bbox, p + i, len - i < piece ? len - i : piece) < 0)
			return false;
	if (bbox_end(&e->bbox) < 0)
		return false;
	pdf_blocks(e, out);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pdf_engine e = PDF_ENGINE_INIT;
	static struct check c = CHECK_INIT;
	static struct buf one, other;
	bool good = blocks(&e, (const char *)data, size, size + 1, &one);

	if (good) {
		c.pages = e.doc.npages;
		if (!charset_utf8(one.p, one.len) || (check_blocks(&c, one.p, one.len, 0) < 0 && strcmp(c.code, "no_text") != 0))
			abort();
	}
	if (blocks(&e, (const char *)data, size, size % 31 + 1, &other) != good ||
	    (good && (one.len != other.len || memcmp(one.p, other.p, one.len) != 0)))
		abort();
	check_blocks(&c, (const char *)data, size, 1);
	return 0;
}
