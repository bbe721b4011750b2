/* adapter.h - what openalex, unpaywall and core share: they ask a service for the
 * work that a record's "doi" names, and put what they learn into "work".
 * Like stage.h it is main's other half, and so it may print and exit.
 */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "flow.h"
#include "work_source.h"

/* What every adapter's --help says of the options that adapter_main reads. */
#define ADAPTER_SYNOPSIS "[-a] [-g attempt] [-j requests] [-l maxbytes] [-m maxbytes] [-t seconds] [-w records]\n"
#define ADAPTER_OPTIONS \
	"  -a           ask even when all that is needed is known\n" \
	"  -g attempt   from this attempt on go on without a service that fails\n" \
	"  -j requests  at once (default 8)\n" \
	"  -m maxbytes  the longest answer (default 16M)\n" \
	"  -t seconds   for an answer (default 60)\n" \
	"  -w records   held at once (default 1024)\n" \
	"  -l maxbytes  the longest record (default 16M)\n" \
	"\n"

struct adapter {
	const char *name;       /* "openalex": the source's name in "work" */
	const char *usage, *agent;
	const char *base_env, *base;    /* the setting of its base URL, and what it is without */
	/* Appends the URL for a DOI to out, which has the base URL without a slash at its end. */
	void (*url)(struct buf *out, const struct buf *doi);
	/* fulltext: NULL where no text is wanted. */
	enum work_answer (*read)(struct work *w, const char *p, size_t len, struct buf *fulltext);
	long refusal;           /* besides 401 the status that says that our setting is wrong, or 0 */
	/* Set by start. */
	struct buf secret, secret_query;        /* as in fetch.h, or empty */
	const char *skip;       /* a code: ask nobody, the setting is missing */
	void (*start)(struct adapter *a);       /* reads settings, after the options */
};

/* The whole program. Returns the exit code for main. */
int adapter_main(struct adapter *a, int argc, char **argv);

/* Appends what the file says that the setting env names; nothing where it is not
 * set. A file that can't be read ends the program with 100. */
void adapter_key(struct buf *out, const char *env);

/* Text that the service has of a work without a PDF becomes the record's content:
 * in it where that adds less than room bytes, else as a blob. *c is filled, good until the
 * next call. Returns the number of changes: 0 when the item was answered with an error. */
size_t adapter_content(struct flow_item *it, struct rec_change *c, const struct buf *text, size_t room);

#endif
