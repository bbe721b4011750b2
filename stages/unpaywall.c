/* unpaywall - asks Unpaywall where a work may be read freely. See docs/unpaywall.1. */
#include "adapter.h"

#include <string.h>

#include "arg.h"
#include "err.h"

static const char usage[] = "unpaywall " ADAPTER_SYNOPSIS
    "\n"
    "Asks Unpaywall where the work that each record's \"doi\" names may be read freely,\n"
    "and adds what \"work\" lacks.\n"
    "\n"
    ADAPTER_OPTIONS
    "SLUICE_EMAIL is the address that Unpaywall wants to know; without it nothing is\n"
    "asked. SLUICE_UNPAYWALL_URL names another server, SLUICE_RATE the requests a\n"
    "second (default 5).\n";

static void
url(struct buf *out, const struct buf *doi)
{
	buf_addc(out, '/');
	http_escape(out, doi->p, doi->len, "/:;()");
}

static enum work_answer
answer(struct work *w, const char *p, size_t len, struct buf *fulltext)
{
	(void)fulltext;
	return work_unpaywall(w, p, len);
}

static void
start(struct adapter *a)
{
	const char *email = arg_env("SLUICE_EMAIL", NULL);

	if (!email) {
		warn("SLUICE_EMAIL is not set: nothing is asked");
		a->skip = "no_email";
		return;
	}
	buf_adds(&a->secret_query, "email=");
	http_escape(&a->secret_query, email, strlen(email), "@");
}

int
main(int argc, char **argv)
{
	static struct adapter a = { .name = "unpaywall", .usage = usage, .agent = "sluice-unpaywall",
		.base_env = "SLUICE_UNPAYWALL_URL", .base = "https://api.unpaywall.org/v2",
		.url = url, .read = answer, .refusal = 422, .start = start };

	return adapter_main(&a, argc, argv);
}
