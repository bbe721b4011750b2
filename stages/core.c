/* core - asks CORE for the work that a record's DOI names. See docs/core.1. */
#include "adapter.h"

#include <string.h>

static const char usage[] = "core " ADAPTER_SYNOPSIS
    "\n"
    "Asks CORE for the work that each record's \"doi\" names and adds what \"work\" lacks.\n"
    "Where nobody knows of a PDF, the text that CORE has of it becomes \"content\".\n"
    "\n"
    ADAPTER_OPTIONS
    "SLUICE_CORE_KEY_FILE names the file with the key, SLUICE_CORE_URL another server,\n"
    "SLUICE_RATE the requests a second (default 5).\n";

/* CORE answers a search without the slash before the question mark with a redirect. */
static void
url(struct buf *out, const struct buf *doi)
{
	static struct buf quoted;

	quoted.len = 0;
	for (size_t i = 0; i < doi->len; i++) {
		if (doi->p[i] == '"' || doi->p[i] == '\\')
			buf_addc(&quoted, '\\');
		buf_addc(&quoted, doi->p[i]);
	}
	buf_adds(out, "/search/works/?q=doi:%22");
	http_escape(out, quoted.p, quoted.len, "/:;()");
	buf_adds(out, "%22&limit=1");
}

static void
start(struct adapter *a)
{
	static struct buf key;

	adapter_key(&key, "SLUICE_CORE_KEY_FILE");
	if (key.len)
		buf_addf(&a->secret, "Authorization: Bearer %s", buf_str(&key));
}

int
main(int argc, char **argv)
{
	static struct adapter a = { .name = "core", .usage = usage, .agent = "sluice-core",
		.base_env = "SLUICE_CORE_URL", .base = "https://api.core.ac.uk/v3",
		.url = url, .read = work_core, .start = start };

	return adapter_main(&a, argc, argv);
}
