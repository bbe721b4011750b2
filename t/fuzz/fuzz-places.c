/* fuzz-places - any bytes as a record with places for its PDF and notes of what was
 * tried: what is printed of them is JSON, is read back, and is then printed the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tries all that is left, each with another outcome, and notes it in the record. */
static void
note(struct buf *out, const struct rec *r, struct places *p, const struct buf *page)
{
	static struct buf list;
	struct rec_change c = { .name = "pdf_tried" };
	size_t i;

	for (int k = 0; (i = places_next(p)) < p->n; k++) {
		places_tried(&p->place[i], k % 2 ? "http_status" : "not_pdf", "it is", k % 2, (unsigned long)k);
		if (k % 2 == 0)
			places_follow(p, i, page, "http://example.org/");
	}
	list.len = out->len = 0;
	if (!places_print(&list, p, true) && list.len != 2)
		abort();
	c.val = list.p;
	c.len = list.len;
	rec_edit(out, r, &c, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct places p, again;
	static struct buf page, line, second, why;
	static struct rec r, noted;
	struct places_fault f;
	char *bytes = malloc(size ? size : 1);  /* exactly as long: overreads show */

	memcpy(bytes, data, size);
	page.len = 0;
	buf_adds(&page, "<meta name=citation_pdf_url content='");
	if (size > 3)
		buf_add(&page, bytes, 3);
	buf_adds(&page, "'>");
	if (rec_parse(&r, bytes, size) == REC_OK) {
		places_of(&p, &r);
		note(&line, &r, &p, &page);
		places_fault(&f, &why, &p);
		if (rec_parse(&noted, line.p, line.len) != REC_OK)
			abort();
		places_of(&again, &noted);
		if (places_next(&again) != again.n || again.n != p.n)
			abort();
		note(&second, &noted, &again, &page);
		if (line.len != second.len || memcmp(line.p, second.p, line.len) != 0)
			abort();
	}
	free(bytes);
	return 0;
}
