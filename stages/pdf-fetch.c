/* pdf-fetch - gets each job's PDF into the blob store. See docs/pdf-fetch.1. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "flow.h"
#include "places.h"
#include "text/body.h"
#include "text/doc.h"
#include "work.h"

#define STAGE "pdf-fetch/1"

static const char usage[] = "pdf-fetch [-n] [-g attempt] [-j requests] [-l maxbytes] [-m maxbytes] [-t seconds] [-w records]\n"
    "\n"
    "Gets each job's PDF, from the request's path or url or the first of work.pdfs\n"
    "that gives one, stores it as a blob and adds \"pdf\". Where a place has a page\n"
    "instead, the PDF that the page names is tried next.\n"
    "\n"
    "  -n           where no place gives it, pass the record on: another one follows\n"
    "  -g attempt   from this attempt on do not wait for a PDF where there is a text\n"
    "  -j requests  at once, to one host (default 2; to all of them four times that)\n"
    "  -m maxbytes  the largest PDF (default 100M)\n"
    "  -t seconds   for one try (default 300)\n"
    "  -w records   held at once (default 256)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_BLOBS is where the PDFs go, SLUICE_DOCS names the folders that a\n"
    "path may lie in, SLUICE_RATE the requests a second (default 5),\n"
    "SLUICE_HTTP_CACHE the folder by which processes keep it together.\n";

/* One job's PDF, looked for. */
struct hunt {
	struct flow *fl;
	struct flow_item *it;
	struct places p;
	struct place *at;       /* the place that is tried */
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
static bool go_on;                      /* -n */
static unsigned long give_up;           /* -g; 0: never */

/* Ends a try: its file is gone with its descriptor. */
static void
drop(struct hunt *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	if (q->head.cap > 8 * PLACES_HEAD)
		buf_free(&q->head);
}

/* Of a page only so much that its links are found. */
static int
sink_page(struct hunt *q, const char *p, size_t len)
{
	size_t room = PLACES_PAGE - q->head.len;

	buf_add(&q->head, p, len < room ? len : room);
	return len < room ? 0 : -1;
}

static int
sink(void *ctx, const void *p, size_t len)
{
	struct hunt *q = ctx;
	size_t n = q->head.len < PLACES_HEAD ? PLACES_HEAD - q->head.len : 0;

	if (q->other)
		return sink_page(q, p, len);
	buf_add(&q->head, p, len < n ? len : n);
	if (q->head.len == PLACES_HEAD && !places_pdf(&q->head)) {
		q->other = true;
		return !places_page(&q->head) ? -1 : len < n ? 0 : sink_page(q, (const char *)p + n, len - n);
	}
	if ((q->fd < 0 && (q->fd = blob_file(&blobs)) < 0) || write_all(q->fd, p, len) < 0) {
		q->fault = errno;
		return -1;
	}
	q->len += len;
	return 0;
}

/* What is found is the record's. A text that was there in its place goes. */
static void
keep(struct hunt *q, const void *p, size_t len)
{
	static struct buf json, work;
	struct rec_change c[5] = { { .name = "pdf" }, { .name = "pdf_tried" }, { .name = "work" }, { .name = "content" },
	    { .name = "content_blob" } };
	char hex[SHA256_HEX];

	if (blob_put(&blobs, p, len, hex) < 0) {
		flow_error(q->it, "blob_unavailable", true, 0, "SLUICE_BLOBS: %s", blob_why());
		return;
	}
	json.len = work.len = 0;
	places_found(&json, &q->p, q->at, hex, len, STAGE);
	c[0].val = json.p;
	c[0].len = json.len;
	if (work_without_content(&work, rec_get(&q->it->rec, "work"))) {
		c[2].val = work.p;
		c[2].len = work.len;
	}
	flow_edit(q->it, c, work.len ? 5 : 2);
}

static void
keep_file(struct hunt *q)
{
	void *p = mmap(NULL, q->len, PROT_READ, MAP_SHARED, q->fd, 0);

	if (p == MAP_FAILED) {
		flow_error(q->it, "blob_unavailable", true, 0, "what came can't be read: %s", strerror(errno));
		return;
	}
	keep(q, p, q->len);
	munmap(p, q->len);
}

/* No place has it. What was tried is noted in the record. */
static void
give_in(struct hunt *q)
{
	static struct buf why, json;
	struct rec_change c = { .name = "pdf_tried" };
	struct places_fault f;

	places_fault(&f, &why, &q->p);
	json.len = 0;
	if (places_print(&json, &q->p, go_on)) {
		c.val = json.p;
		c.len = json.len;
	}
	flow_edit(q->it, &c, 1);
	if (!go_on && (!body_there(&q->it->rec) || (f.later && !flow_late(q->it, give_up))))
		flow_error(q->it, f.code, f.retry, f.after_ms, "%s", buf_str(&why));
}

/* The file of a request. */
static void
from_path(struct hunt *q)
{
	if (doc_source(&doc, &q->it->rec) < 0)
		places_tried(q->at, doc.fault.code, doc.fault.message, doc.fault.retry, doc.fault.after_ms);
	else if (places_pdf(&doc.bytes))
		keep(q, doc.bytes.p, doc.bytes.len);
	else
		places_tried(q->at, "not_pdf", "the file is no PDF", false, 0);
	if (doc.bytes.cap > (size_t)1 << 20)
		buf_free(&doc.bytes);
}

static void answered(void *ctx, struct http_result *r);

/* The next place, or the end of it. */
static void
next(struct hunt *q)
{
	struct fetch_request f = { .header = "Accept: application/pdf, */*;q=0.5", .sink = sink, .done = answered, .ctx = q };

	q->at = &q->p.place[places_next(&q->p)];
	if (q->at == &q->p.place[q->p.n]) {
		give_in(q);
	} else if (q->at->path) {
		from_path(q);
		if (q->it->state == FLOW_OPEN)
			next(q);
	} else {
		q->len = q->head.len = 0;
		q->fd = -1;
		q->other = false;
		q->fault = 0;
		f.url = buf_str(&q->at->url);
		fetch_start(q->fl->f, &f);
	}
}

static void
answered(void *ctx, struct http_result *r)
{
	struct hunt *q = ctx;

	if (q->fault) {
		flow_error(q->it, "blob_unavailable", true, 0, "SLUICE_BLOBS: what came can't be kept: %s", strerror(q->fault));
	} else if (!r->code && q->len && places_pdf(&q->head)) {
		keep_file(q);
	} else if (!r->code || (q->other && strcmp(r->code, "store_failed") == 0)) {    /* it came, or as much as we want */
		places_tried(q->at, "not_pdf", "it is no PDF", false, 0);
		places_follow(&q->p, (size_t)(q->at - q->p.place), &q->head, r->url);
	} else {
		places_tried(q->at, r->code, r->message, r->retry, r->after_ms);
	}
	drop(q);
	if (q->it->state == FLOW_OPEN)
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

static void
begin(struct flow *fl, struct flow_item *it)
{
	const struct rec *r = &it->rec;
	const char *folder = arg_env("SLUICE_BLOBS", NULL);
	struct hunt *q = it->own;

	if (done_before(r)) {
		flow_pass(it);
		return;
	}
	q->fl = fl;
	q->it = it;
	places_of(&q->p, r);
	/* A document that is text needs no PDF; a file is mineru's as it lies there, where nothing else is. */
	if ((!q->p.n && body_there(r)) || (!folder && (go_on || rec_get(r, "path"))))
		flow_pass(it);
	else if (!folder)
		flow_error(it, "no_blobs", false, 0, "there is no folder for the PDF: SLUICE_BLOBS is not set");
	else if (body_blobs(&blobs) < 0)
		flow_error(it, "blob_unavailable", true, 0, "SLUICE_BLOBS: %s", blob_why());
	else
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
	while ((c = getopt(argc, argv, "+g:j:l:m:nt:w:")) != -1)
		switch (c) {
		case 'g': give_up = arg_ulong("-g", optarg, 1, 1000); break;
		case 'j': o.per_host = (unsigned)arg_ulong("-j", optarg, 1, 64); break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': o.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 'n': go_on = true; break;
		case 't': o.total_ms = arg_ulong("-t", optarg, 1, 3600) * 1000; break;
		case 'w': fl.most = arg_ulong("-w", optarg, 1, 65536); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	signal(SIGPIPE, SIG_IGN);       /* a server that hangs up is a fault of one record */
	o.at_once = 4 * o.per_host;
	o.cache = arg_env("SLUICE_HTTP_CACHE", NULL);   /* for the rate that is kept together */
	doc.max = o.max;
	doc.roots = arg_env("SLUICE_DOCS", NULL);
	flow_open(&fl, &o);
	return flow_run(&fl);
}
