/* mineru - makes a list of blocks, in reading order, of a job's PDF. See docs/mineru.1. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "flow.h"
#include "mineru.h"
#include "parsed.h"
#include "pdf/engine.h"
#include "proc.h"
#include "stage.h"
#include "text/body.h"

static const char usage[] = "mineru [-b backend] [-c chars] [-i ms] [-l maxbytes] [-m maxbytes] [-p method]\n"
    "       [-r maxbytes] [-t seconds] [-w records]\n"
    "\n"
    "Makes blocks of each job's PDF, in reading order: headings, paragraphs, lists,\n"
    "tables, with their page and place, and adds \"parsed\". The PDF is the blob that\n"
    "\"pdf\" names, or the file of \"path\".\n"
    "\n"
    "  -t seconds   built in: CPU seconds for a document, twice that in real time;\n"
    "               a server: seconds (default 300)\n"
    "  -c chars     a document with less text has none (default 100)\n"
    "  -m maxbytes  the largest PDF (default 100M)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "For servers:\n"
    "  -w records   so many under way at once (default 8)\n"
    "  -i ms        between two looks how far a document is (default 1000)\n"
    "  -r maxbytes  the largest result (default 64M)\n"
    "  -b backend   pipeline, hybrid-engine, vlm-engine... (default: the server's)\n"
    "  -p method    auto, txt or ocr (default: the server's)\n"
    "\n"
    "SLUICE_MINERU names mineru-api servers, commas between, and SLUICE_MINERU_ALLOW the\n"
    "networks that they are in; without it the engine that is built in is used.\n"
    "SLUICE_BLOBS names the folder of the PDFs, where the blocks go, too; without it\n"
    "the blocks stand in \"parsed\". SLUICE_DOCS names the folders that a path\n"
    "may lie in, separated by ':'.\n";

static struct stage s = STAGE_INIT;
static struct parsed p = PARSED_INIT;
static struct pdf_engine engine = PDF_ENGINE_INIT;
static struct mineru servers = { .look_ms = 1000, .max = (size_t)64 << 20 };

/* One record on its way to a server and back. */
struct job {
	struct flow_item *it;
	struct mineru_doc d;
	size_t pages;
	char sum[SHA256_HEX];
};

/* Readers allow for some bytes before the header. */
static bool
is_pdf(const struct buf *b)
{
	return b->len && memmem(b->p, b->len < 1024 ? b->len : 1024, "%PDF-", 5);
}

/* A descriptor of the PDF, or -1 with the fault. */
static int
open_pdf(void)
{
	int fd;

	if (!is_pdf(&p.doc.bytes))
		return doc_fail(&p.doc, "not_pdf", false, "the bytes are no PDF");
	if ((fd = proc_memfd("document.pdf", p.doc.bytes.p, p.doc.bytes.len)) < 0)
		return doc_fail(&p.doc, "pdf_failed", true, "memfd: %s", strerror(errno));
	return fd;
}

static int
parse(struct buf *blocks)
{
	struct pdf_fault f;
	int fd, r;

	blocks->len = 0;
	if (is_pdf(&p.doc.bytes) && !pdf_engine_name())
		return doc_fail(&p.doc, "no_pdf_tool", true, "pdftotext can't be run");
	if ((fd = open_pdf()) < 0)
		return -1;
	r = pdf_parse(&engine, fd, blocks, &p.check.pages, &f);
	if (r < 0)
		doc_fail(&p.doc, f.code, f.retry, "%s", f.message);
	else if ((r = parsed_check(&p, blocks)) < 0 && strcmp(p.doc.fault.code, "no_text") == 0 && pdf_scanned(&engine, fd))
		doc_fail(&p.doc, "no_text", false, "%s, which have pictures", p.check.message);
	close(fd);
	return r;
}

/* A record, by the engine that is built in. */
static void
job(void)
{
	static struct buf blocks;
	struct rec_change c;
	int got = parsed_source(&p, &s.rec);

	if (got == 0 || (got > 0 && parsed_before(&p, &s.rec)))
		stage_pass(&s);
	else if (got < 0 || parse(&blocks) < 0 ||
	    parsed_member(&p, pdf_engine_name(), &engine.doc.title, &blocks, &c) < 0)
		stage_error_rec(&s, &s.rec, p.doc.fault.code, p.doc.fault.retry, p.doc.fault.after_ms, p.doc.fault.message);
	else
		stage_edit(&s, &c, 1);
}

static void
fail(struct flow_item *it)
{
	const struct doc_fault *f = &p.doc.fault;

	flow_error(it, f->code, f->retry, f->after_ms, "%s", f->message);
}

/* The PDF's bytes are handed over, so that they are held once. */
static void
hand_over(struct job *j)
{
	struct buf b = j->d.pdf;

	j->d.pdf = p.doc.bytes;
	p.doc.bytes = b;
	p.doc.bytes.len = 0;
}

/* Again, because a server has lost it. */
static int
load(void *ctx, struct mineru_doc *d)
{
	struct job *j = ctx;

	if (parsed_source(&p, &j->it->rec) > 0 && memcmp(p.sum, j->sum, sizeof j->sum) == 0 && p.doc.bytes.len) {
		hand_over(j);
		return 0;
	}
	d->code = "blob_unavailable";
	snprintf(d->message, sizeof d->message, "the PDF has gone or changed while it was worked on");
	d->retry = true;
	return -1;
}

static void
done(void *ctx, struct mineru_doc *d)
{
	static const struct buf untitled = BUF_INIT;
	struct job *j = ctx;
	struct rec_change c;

	memcpy(p.sum, j->sum, sizeof p.sum);
	p.check.pages = j->pages;
	if (d->code)
		flow_error(j->it, d->code, d->retry, d->after_ms, "%s", d->message);
	else if (parsed_check(&p, &d->blocks) < 0 || parsed_member(&p, buf_str(&d->engine), &untitled, &d->blocks, &c) < 0)
		fail(j->it);
	else
		flow_edit(j->it, &c, 1);
	buf_free(&d->blocks);
}

/* How many pages there should be is the file's to say, not the server's. */
static int
count_pages(struct job *j)
{
	struct pdf_fault f;
	int fd = open_pdf(), r;

	if (fd < 0)
		return -1;
	if ((r = pdf_pages(&engine, fd, &j->pages, &f)) < 0)
		doc_fail(&p.doc, f.code, f.retry, "%s", f.message);
	close(fd);
	return r;
}

/* A record, by a server. */
static void
begin(struct flow *fl, struct flow_item *it)
{
	struct job *j = it->own;
	int got = parsed_source(&p, &it->rec);

	(void)fl;
	j->it = it;
	if (got == 0 || (got > 0 && parsed_before(&p, &it->rec))) {
		flow_pass(it);
	} else if (got < 0 || count_pages(j) < 0) {
		fail(it);
	} else {
		memcpy(j->sum, p.sum, sizeof j->sum);
		hand_over(j);
		j->d.load = load;
		j->d.done = done;
		j->d.ctx = j;
		mineru_start(&servers, &j->d);
	}
}

static int
by_servers(const char *list, struct flow *fl)
{
	static struct buf key;
	struct fetch_opts o = { .agent = "sluice-mineru", .rate = "0" };
	const char *file = arg_env("SLUICE_MINERU_KEY_FILE", NULL);

	if (mineru_servers(&servers, list) < 0)
		die(XPERM, "SLUICE_MINERU: not a list of up to %d URLs such as http://10.0.0.7:8000,http://10.0.0.8:8000", MINERU_SERVERS);
	buf_adds(&key, "Authorization: Bearer ");
	if (file && fetch_secret(file, &key) < 0)
		die_sys(XPERM, "SLUICE_MINERU_KEY_FILE: %s", file);
	servers.secret = file ? buf_str(&key) : NULL;
	servers.limit_s = engine.cpu_s;
	o.allow = arg_env("SLUICE_MINERU_ALLOW", arg_env("SLUICE_HTTP_ALLOW", NULL));
	o.per_host = o.at_once = 64;
	if (!(servers.f = fl->f = fetch_open(&o))) {
		if (errno == EINVAL)
			die(XPERM, "SLUICE_MINERU_ALLOW: not a list of networks such as 10.0.0.0/8,fd00::/8");
		die_sys(XTEMP, "start libcurl");
	}
	return flow_run(fl);
}

static int
built_in(void)
{
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job();
	}
	return stage_end(&s);
}

int
main(int argc, char **argv)
{
	static struct flow fl = { .s = &s, .begin = begin, .own = sizeof(struct job), .most = 8 };
	const char *list = arg_env("SLUICE_MINERU", NULL);
	int c;

	err_init("mineru");
	arg_help(argc, argv, usage);
	p.doc.max = (size_t)100 << 20;
	while ((c = getopt(argc, argv, "+b:c:i:l:m:p:r:t:w:")) != -1)
		switch (c) {
		case 'b': servers.backend = optarg; break;
		case 'c': p.chars_min = arg_ulong("-c", optarg, 1, 1 << 20); break;
		case 'i': servers.look_ms = arg_ulong("-i", optarg, 1, 60000); break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': p.doc.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 'p': servers.method = optarg; break;
		case 'r': servers.max = arg_ulong("-r", optarg, 1, 1 << 30); break;
		case 't': engine.cpu_s = arg_ulong("-t", optarg, 1, 3600); break;
		case 'w': fl.most = arg_ulong("-w", optarg, 1, 64); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	body_settings();
	signal(SIGPIPE, SIG_IGN);
	p.doc.roots = arg_env("SLUICE_DOCS", NULL);
	p.engine = list ? "mineru " : "builtin/1";
	return list ? by_servers(list, &fl) : built_in();
}
