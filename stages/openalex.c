/* openalex - asks OpenAlex for the work that a record's DOI names. See docs/openalex.1. */
#include "adapter.h"

#include <string.h>

static const char usage[] = "openalex " ADAPTER_SYNOPSIS
    "\n"
    "Asks OpenAlex for the work that each record's \"doi\" names, and puts what it says\n"
    "into \"work\": title, authors, abstract, open access, where the PDF may be.\n"
    "\n"
    ADAPTER_OPTIONS
    "SLUICE_OPENALEX_KEY_FILE names the file with the key, SLUICE_OPENALEX_URL another\n"
    "server, SLUICE_RATE the requests a second (default 5).\n";

static void
url(struct buf *out, const struct buf *doi)
{
	buf_adds(out, "/works/doi:");
	http_escape(out, doi->p, doi->len, "/:;()");
	buf_adds(out, "?select=id,doi,title,display_name,publication_year,language,type,ids,authorships,"
	    "open_access,best_oa_location,primary_location,locations,abstract_inverted_index");
}

static enum work_answer
answer(struct work *w, const char *p, size_t len, struct buf *fulltext)
{
	(void)fulltext;
	return work_openalex(w, p, len);
}

static void
start(struct adapter *a)
{
	static struct buf key;

	adapter_key(&key, "SLUICE_OPENALEX_KEY_FILE");
	if (!key.len)
		return;
	buf_adds(&a->secret_query, "api_key=");
	http_escape(&a->secret_query, key.p, key.len, "");
}

int
main(int argc, char **argv)
{
	static struct adapter a = { .name = "openalex", .usage = usage, .agent = "sluice-openalex",
		.base_env = "SLUICE_OPENALEX_URL", .base = "https://api.openalex.org",
		.url = url, .read = answer, .start = start };

	return adapter_main(&a, argc, argv);
}
