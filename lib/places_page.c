/* PDFs and pages, by their bytes. */
#include <string.h>

#include "http_multi.h"
#include "places.h"
#include "text/html.h"

/* Behind white space, zeros and a byte order mark. */
static size_t
begins(const struct buf *b)
{
	size_t len = b->len < PLACES_HEAD ? b->len : PLACES_HEAD, i = 0;

	while (i < len && memchr("\t\n\f\r \xef\xbb\xbf", b->p[i], 9))
		i++;
	return i;
}

bool
places_page(const struct buf *b)
{
	size_t i = begins(b);

	return i < b->len && b->p[i] == '<';
}

bool
places_pdf(const struct buf *b)
{
	size_t len = b->len < PLACES_HEAD ? b->len : PLACES_HEAD;
	const char *p;

	if (!len || places_page(b) || !(p = memmem(b->p, len, "%PDF-", 5)))
		return false;
	p += 5;
	return p < b->p + len && *p >= '0' && *p <= '9';
}

void
places_follow(struct places *p, size_t i, const struct buf *page, const char *base)
{
	static struct buf url;
	char whole[HTTP_URL_MAX];

	url.len = 0;
	if (!p->place[i].page.len && places_page(page) && html_meta(&url, page->p, page->len, "citation_pdf_url") &&
	    http_join(base, buf_str(&url), whole) == 0)
		places_link(p, i, whole);
}
