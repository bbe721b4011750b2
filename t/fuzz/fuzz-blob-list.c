/* fuzz-blob-list - any bytes as the answers of an object store: keys are as long as keys are, nothing is
 * told of a page that was cut off, and what is read is there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blob_int.h"
#include "blob_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t n;

static void
each(void *ctx, const char *key, int64_t modified)
{
	char hex[SHA256_HEX], name[BLOB_NAME];

	(void)ctx;
	n++;
	if (!*key || strlen(key) >= BLOB_KEY || modified < 0)
		abort();
	if (blob_hex(key, hex) == 0 && (blob_name(hex, name) < 0 || strcmp(name, key) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct blob_said said;
	bool more;
	int r;

	n = 0;
	r = blob_list(p, size, each, NULL, &more);
	if (r < 0 && n)
		abort();
	/* Without its last '>' it is none, whatever it was. */
	if (r == 0) {
		const char *last = memrchr(p, '>', size);

		n = 0;
		if (!last || blob_list(p, (size_t)(last - p), each, NULL, &more) == 0 || n)
			abort();
	}
	blob_said(p, size, &said);
	if (strlen(said.code) >= sizeof said.code || strlen(said.message) >= sizeof said.message || blob_copied(p, size) < 0)
		abort();
	return 0;
}
