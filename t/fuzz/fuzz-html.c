/* fuzz-html - any bytes as a page: what comes out of valid UTF-8 is valid UTF-8,
 * never much longer than the page, the same with the input at the very end of its memory;
 * any bytes in any encoding become valid UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/charset.h"
#include "text/doc.h"
#include "text/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "utf-8", "latin1", "utf-16le", "utf-16be", "shift_jis", "gb18030", "big5", "euc-kr", "koi8-r" };
	static struct buf out, title, utf8;
	struct charset c;
	char *p = malloc(size ? size : 1);      /* exactly as long: overreads show */
	const char *name = size ? names[data[0] % (sizeof names / sizeof *names)] : NULL;
	size_t len;

	memcpy(p, data, size);
	out.len = title.len = utf8.len = 0;
	html_text(&out, &title, p, size);
	if (out.len + title.len > size * 4 + 4)
		abort();
	if (charset_utf8(p, size) && (!charset_utf8(buf_str(&out), out.len) || !charset_utf8(buf_str(&title), title.len)))
		abort();
	html_sniff(p, size);
	html_charset(p, size, &len);
	out.len = 0;
	if (html_meta(&out, p, size, "citation_pdf_url") != (out.len > 0) || out.len > size * 4 + 4)
		abort();
	charset_decode(&utf8, p, size, name ? charset_name(name, strlen(name)) : NULL, &c);
	if (!charset_utf8(buf_str(&utf8), utf8.len))
		abort();
	out.len = 0;
	pdf_clean(&out, p, size);
	free(p);
	return 0;
}
