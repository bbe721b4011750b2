/* fuzz-sentence - any bytes as text: sentences advance, follow one another
 * without a hole, and begin on UTF-8 borders and behind white space or a full stop; the
 * language and the title are found without reading too far. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/charset.h"
#include "text/doc.h"
#include "text/lang.h"
#include "text/sentence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf title;
	char *p = malloc(size ? size : 1);      /* exactly as long: overreads show */
	bool valid, para;
	size_t at = 0;

	memcpy(p, data, size);
	valid = charset_utf8(p, size);
	while (at < size) {
		size_t next = sentence_next(p, size, at, &para);

		if (next <= at || next > size)
			abort();
		if (valid && next < size && ((unsigned char)p[next] & 0xC0) == 0x80)
			abort();
		if (sentence_trim(p + at, next - at) > next - at)
			abort();
		at = next;
	}
	lang_detect(p, size);
	title.len = 0;
	doc_first_line(&title, p, size);
	if (title.len > 204 || (valid && !charset_utf8(buf_str(&title), title.len)))
		abort();
	free(p);
	return 0;
}
