/* pdf-fetch - gets each job's PDF into the blob store. See docs/pdf-fetch.1. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "flow.h"
#include "json.h"
#include "places.h"
#include "text/body.h"
#include "text/doc.h"

#define STAGE "pdf-fetch/1"

static const char usage[] = "pdf-fetch [-j requests] [-l maxbytes] [-m maxbytes] [-t seconds] [-w records]\n"
    "\n"
    "Gets each job's PDF, from the request's path or url or the first of work.pdfs\n"
    "that gives one, stores it as a blob and adds \"pdf\".\n"
    "\n"
    "  -j requests  at once, to one host (default 2; to all of them four times that)\n"
    "  -m maxbytes  the largest PDF (default 100M)\n"
    "  -t seconds   for one try (default 300)\n"
    "  -w records   held at once (default 256)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_BLOBS is the folder of the PDFs, SLUICE_DOCS names the folders that a\n"
    "path may lie in, SLUICE_RATE the requests a second (default 5).\n";

/* One job's PDF, looked for. */
struct hunt {
	struct flow *fl;
	struct flow_item *it;
	struct places p;
	size_t at;              /* the place that is tried */
	struct buf tried, why;  /* as JSON, as text */
	char later[64];         /* the code of what may come right, or "" */
	unsigned long after_ms;
	/* of this try */
	int fd;                 /* what came, in a file without a name; -1: nothing yet */
	size_t len;
	struct buf head;        /* its first bytes */
	bool other;             /* it is no PDF */
	int fault;              /* errno of what we could not do ourselves */
};

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct doc doc;                  /* for a path */

/* Ends a try: its file is gone with its descriptor. */
static void
drop(struct hunt *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

/* Beside the blobs, where there is room for a PDF; nobody ever sees it. */
static int
open_file(void)
{
	int fd = openat(blobs.dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if (!(f = tmpfile()))
		return -1;
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
	fclose(f);
	return fd;
}

static int
sink(void *ctx, const void *p, size_t len)
{
	struct hunt *q = ctx;

	if (q->head.len < PLACES_HEAD)
		buf_add(&q->head, p, len < PLACES_HEAD - q->head.len ? len : PLACES_HEAD - q->head.len);
	if (q->head.len == PLACES_HEAD && !places_pdf(&q->head)) {
		q->other = true;
		return -1;
	}
	if ((q->fd < 0 && (q->fd = open_file()) < 0) || write_all(q->fd, p, len) < 0) {
		q->fault = errno;
		return -1;
	}
	q->len += len;
	return 0;
}

/* What is found is the record's. where: "url" or "path". */
static void
keep(struct hunt *q, const void *p, size_t len, const char *where, const struct place *from)
{
	static struct buf json;
	struct rec_change c = { .name = "pdf" };
	char hex[SHA256_HEX];

	if (blob_put(&blobs, p, len, hex) < 0) {
		flow_error(q->it, "blob_unavailable", true, 0, "SLUICE_BLOBS: %s", strerror(errno));
		return;
	}
	json.len = 0;
	buf_addf(&json, "{\"sha256\":\"%s\",\"length\":%zu,\"%s\":", hex, len, where);
	json_quote(&json, from->url.p, from->url.len);
	buf_adds(&json, ",\"source\":");
	json_quote(&json, from->source.p, from->source.len);
	buf_adds(&json, ",\"tried\":[");
	buf_add(&json, q->tried.p, q->tried.len);
	buf_adds(&json, "],\"stage\":\"" STAGE "\"}");
	c.val = json.p;
	c.len = json.len;
	flow_edit(q->it, &c, 1);
}

static void
keep_file(struct hunt *q)
{
	void *p = mmap(NULL, q->len, PROT_READ, MAP_SHARED, q->fd, 0);

	if (p == MAP_FAILED) {
		flow_error(q->it, "blob_unavailable", true, 0, "what came can't be read: %s", strerror(errno));
		return;
	}
	keep(q, p, q->len, "url", &q->p.place[q->at]);
	munmap(p, q->len);
}

/* Notes that a place has no PDF for us. */
static void
note(struct hunt *q, const struct buf *where, const char *code, const char *why)
{
	buf_adds(&q->tried, q->tried.len ? ",{\"url\":" : "{\"url\":");
	json_quote(&q->tried, where->p, where->len);
	buf_addf(&q->tried, ",\"code\":\"%s\"}", code);
	buf_addf(&q->why, "%s%.*s: %.200s (%s)", q->why.len ? "; " : "", (int)(where->len < 200 ? where->len : 200), where->p, why, code);
}

static void answered(void *ctx, struct http_result *r);

/* The next place, or the end of it. */
static void
next(struct hunt *q)
{
	struct fetch_request f = { .header = "Accept: application/pdf, */*;q=0.5", .sink = sink, .done = answered, .ctx = q };

	if (q->at < q->p.n) {
		q->len = q->head.len = 0;
		q->fd = -1;
		q->other = false;
		q->fault = 0;
		f.url = buf_str(&q->p.place[q->at].url);
		fetch_start(q->fl->f, &f);
	} else if (q->later[0]) {
		flow_error(q->it, q->later, true, q->after_ms, "%s", buf_str(&q->why));
	} else {
		flow_error(q->it, "no_pdf", false, 0, "%s%s%s", q->why.len ? buf_str(&q->why) : "nobody knows a place that has it",
		    q->p.unasked.len ? "; not asked (sluice retry does so): " : "", buf_str(&q->p.unasked));
	}
}

static void
answered(void *ctx, struct http_result *r)
{
	struct hunt *q = ctx;
	const struct buf *url = &q->p.place[q->at].url;

	if (q->fault) {
		flow_error(q->it, "blob_unavailable", true, 0, "SLUICE_BLOBS: what came can't be kept: %s", strerror(q->fault));
	} else if (!r->code && q->len && places_pdf(&q->head)) {
		keep_file(q);
	} else if (q->other || !r->code) {
		note(q, url, "not_pdf", "it is no PDF");
	} else {
		note(q, url, r->code, r->message);
		if (r->retry && (!q->later[0] || r->after_ms < q->after_ms)) {
			snprintf(q->later, sizeof q->later, "%s", r->code);
			q->after_ms = r->after_ms;
		}
	}
	drop(q);
	if (q->it->state != FLOW_OPEN)
		return;
	q->at++;
	next(q);
}

/* An earlier attempt of ours has it. */
static bool
done_before(const struct rec *r)
{
	static struct rec pdf = REC_INIT;
	static struct buf hex;
	const struct rec_member *m = rec_get(r, "pdf");

	hex.len = 0;
	return m && rec_parse(&pdf, m->val, m->val_len) == REC_OK && rec_is(rec_get(&pdf, "stage"), STAGE) &&
	    rec_str(rec_get(&pdf, "sha256"), &hex) == 0 && body_blobs(&blobs) == 0 && blob_has(&blobs, buf_str(&hex));
}

/* True when that has answered the record. */
static bool
from_path(struct hunt *q, const struct rec_member *path)
{
	static struct place at;

	at.url.len = at.source.len = 0;
	if (!path)
		return false;
	rec_str(path, &at.url);
	buf_adds(&at.source, "request");
	if (doc_source(&doc, &q->it->rec) < 0) {
		note(q, &at.url, doc.fault.code, doc.fault.message);
		if (q->p.n == 0 || doc.fault.retry)
			flow_error(q->it, doc.fault.code, doc.fault.retry, doc.fault.after_ms, "%s", doc.fault.message);
	} else if (places_pdf(&doc.bytes)) {
		keep(q, doc.bytes.p, doc.bytes.len, "path", &at);
	} else {
		note(q, &at.url, "not_pdf", "the file is no PDF");
	}
	if (doc.bytes.cap > (size_t)1 << 20)
		buf_free(&doc.bytes);
	return q->it->state != FLOW_OPEN;
}

static void
begin(struct flow *fl, struct flow_item *it)
{
	const struct rec *r = &it->rec;
	const struct rec_member *path = rec_get(r, "path");
	struct hunt *q = it->own;

	if (done_before(r)) {
		flow_pass(it);
		return;
	}
	q->fl = fl;
	q->it = it;
	q->at = q->tried.len = q->why.len = q->after_ms = 0;
	q->later[0] = 0;
	places_of(&q->p, r);
	/* A document that is text needs no PDF; a file is mineru's as it lies there, where nothing else is. */
	if ((!q->p.n && !path && (rec_get(r, "text") || rec_get(r, "content") || rec_get(r, "content_blob"))) ||
	    (path && !arg_env("SLUICE_BLOBS", NULL)))
		flow_pass(it);
	else if (!arg_env("SLUICE_BLOBS", NULL))
		flow_error(it, "no_blobs", false, 0, "there is no folder for the PDF: SLUICE_BLOBS is not set");
	else if (body_blobs(&blobs) < 0)
		flow_error(it, "blob_unavailable", true, 0, "SLUICE_BLOBS: %s", strerror(errno));
	else if (!from_path(q, path))
		next(q);
}

int
main(int argc, char **argv)
{
	static struct flow fl = { .s = &s, .begin = begin, .own = sizeof(struct hunt), .most = 256 };
	static struct fetch_opts o = { .agent = "sluice-pdf-fetch", .per_host = 2, .max = (size_t)100 << 20, .total_ms = 300000 };
	int c;

	err_init("pdf-fetch");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+j:l:m:t:w:")) != -1)
		switch (c) {
		case 'j': o.per_host = (unsigned)arg_ulong("-j", optarg, 1, 64); break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': o.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 't': o.total_ms = arg_ulong("-t", optarg, 1, 3600) * 1000; break;
		case 'w': fl.most = arg_ulong("-w", optarg, 1, 65536); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	signal(SIGPIPE, SIG_IGN);       /* a server that hangs up is a fault of one record */
	o.at_once = 4 * o.per_host;
	doc.max = o.max;
	doc.roots = arg_env("SLUICE_DOCS", NULL);
	flow_open(&fl, &o);
	return flow_run(&fl);
}
