#include <stdio.h>
#include <string.h>

#include "b64.h"
#include "page.h"

/* The files themselves, so that they are served from memory; the Makefile knows that this depends on them. */
#define FILE_BYTES(name, path) \
	__asm__(".pushsection .rodata\n.hidden " #name ", " #name "_end\n.global " #name "\n" #name ":\n.incbin \"lib/page/" path "\"\n" \
	    ".global " #name "_end\n" #name "_end:\n.byte 0\n.popsection\n"); \
	extern const unsigned char name[], name##_end[]

FILE_BYTES(page_file_css, "style.css");
FILE_BYTES(page_file_js, "sluice.js");
FILE_BYTES(page_file_icon, "icon.svg");
#if __has_include("openapi.json")
FILE_BYTES(page_file_openapi, "openapi.json");
#endif

static const struct {
	const char *path, *type;
	const unsigned char *p, *end;
} files[] = {
	{ "/ui/style.css", "text/css; charset=utf-8", page_file_css, page_file_css_end },
	{ "/ui/sluice.js", "text/javascript; charset=utf-8", page_file_js, page_file_js_end },
	{ "/ui/icon.svg", "image/svg+xml", page_file_icon, page_file_icon_end },
#if __has_include("openapi.json")
	{ "/openapi.json", "application/json", page_file_openapi, page_file_openapi_end },
#endif
};
enum { FILES = sizeof(files) / sizeof(*files) };

const struct page_asset *
page_asset(const char *path)
{
	static struct page_asset known[FILES];
	size_t i = 0;

	while (i < FILES && strcmp(path, files[i].path) != 0)
		i++;
	if (i == FILES)
		return NULL;
	if (!known[i].path) {
		char hex[SHA256_HEX];
		size_t len = (size_t)(files[i].end - files[i].p);

		sha256_hex(files[i].p, len, hex);
		known[i] = (struct page_asset){ files[i].path, files[i].type, files[i].p, len, "" };
		snprintf(known[i].etag, sizeof(known[i].etag), "\"%.16s\"", hex);
	}
	return &known[i];
}
