/* mineru - makes a list of blocks, in reading order, of a job's PDF. See docs/mineru.1. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "b64.h"
#include "blob.h"
#include "err.h"
#include "json.h"
#include "pdf/check.h"
#include "pdf/engine.h"
#include "proc.h"
#include "stage.h"
#include "text/body.h"
#include "text/doc.h"

#define STAGE "mineru/1"
#define BUILTIN "builtin/1"

static const char usage[] = "mineru [-c chars] [-l maxbytes] [-m maxbytes] [-t seconds]\n"
    "\n"
    "Makes blocks of each job's PDF, in reading order: headings, paragraphs, lists,\n"
    "tables, with their page and place, and adds \"parsed\". The PDF is the blob that\n"
    "\"pdf\" names, or the file of \"path\".\n"
    "\n"
    "  -t seconds   CPU seconds for a document, twice that in real time (default 300)\n"
    "  -c chars     a document with less text has none (default 100)\n"
    "  -m maxbytes  the largest PDF (default 100M)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "SLUICE_BLOBS names the folder of the PDFs, where the blocks go, too; without it\n"
    "the blocks stand in \"parsed\". SLUICE_DOCS names the folders that a path\n"
    "may lie in, separated by ':'.\n";

static struct stage s = STAGE_INIT;
static struct blob blobs = BLOB_INIT;
static struct pdf_engine engine = PDF_ENGINE_INIT;
static struct check check = CHECK_INIT;
static struct doc doc;                  /* for a path: its bytes are the PDF */
static char sum[SHA256_HEX];            /* of the PDF */
static unsigned long chars_min = CHECK_CHARS;

static bool
has_blob(const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	static struct buf hex;

	hex.len = 0;
	return m && m->type == '{' && rec_parse(&r, m->val, m->val_len) == REC_OK &&
	    rec_str(rec_get(&r, "sha256"), &hex) == 0 && body_blobs(&blobs) == 0 && blob_has(&blobs, buf_str(&hex));
}

/* An earlier attempt of ours has the blocks of this PDF. */
static bool
done_before(void)
{
	static struct rec r = REC_INIT;
	static struct buf made;
	const struct rec_member *m = rec_get(&s.rec, "parsed");

	made.len = 0;
	if (!m || rec_parse(&r, m->val, m->val_len) != REC_OK || !rec_is(rec_get(&r, "stage"), STAGE) ||
	    !rec_is(rec_get(&r, "pdf"), sum) || rec_str(rec_get(&r, "engine"), &made) < 0 ||
	    strncmp(buf_str(&made), BUILTIN, sizeof BUILTIN - 1) != 0)
		return false;
	m = rec_get(&r, "blocks");
	return (m && m->type == '[') || has_blob(rec_get(&r, "blocks_blob"));
}

static int
from_blob(const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	static struct buf hex;

	hex.len = doc.bytes.len = 0;
	if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK || rec_str(rec_get(&r, "sha256"), &hex) < 0 ||
	    hex.len != SHA256_HEX - 1)
		return doc_fail(&doc, "bad_pdf_ref", false, "pdf: it names no blob");
	memcpy(sum, buf_str(&hex), sizeof sum);
	if (done_before())
		return 0;
	if (body_blobs(&blobs) == 0 && blob_get(&blobs, sum, doc.max, &doc.bytes) == 0)
		return 0;
	if (errno == EFBIG)
		return doc_fail(&doc, "too_large", false, "the PDF is over %zu bytes", doc.max);
	if (errno == EINVAL)
		return doc_fail(&doc, "bad_pdf_ref", false, "pdf: it names no blob");
	return doc_fail(&doc, errno == EBADMSG ? "blob_damaged" : "blob_unavailable", errno != EBADMSG,
	    "the PDF's blob: %s", strerror(errno));
}

/* 1: doc.bytes is the PDF, or it was done before; 0: there is none to read; -1: doc.fault. */
static int
source(void)
{
	const struct rec_member *m = rec_get(&s.rec, "pdf");

	if (m)
		return from_blob(m) < 0 ? -1 : 1;
	if (rec_get(&s.rec, "path")) {
		if (doc_source(&doc, &s.rec) < 0)
			return -1;
		sha256_hex(buf_str(&doc.bytes), doc.bytes.len, sum);
		return 1;
	}
	if (rec_get(&s.rec, "content") || rec_get(&s.rec, "content_blob") || rec_get(&s.rec, "text"))
		return 0;
	return doc_fail(&doc, "no_pdf", false, "there is no PDF: neither pdf nor path");
}

/* Readers allow for some bytes before the header. */
static bool
is_pdf(const struct buf *b)
{
	return b->len && memmem(b->p, b->len < 1024 ? b->len : 1024, "%PDF-", 5);
}

static int
parse(struct buf *blocks)
{
	struct pdf_fault f;
	int fd, r;

	blocks->len = 0;
	if (!is_pdf(&doc.bytes))
		return doc_fail(&doc, "not_pdf", false, "the bytes are no PDF");
	if (!pdf_engine_name())
		return doc_fail(&doc, "no_pdf_tool", true, "pdftotext can't be run");
	if ((fd = proc_memfd("document.pdf", doc.bytes.p, doc.bytes.len)) < 0)
		return doc_fail(&doc, "pdf_failed", true, "memfd: %s", strerror(errno));
	r = pdf_parse(&engine, fd, blocks, &check.pages, &f);
	if (r < 0)
		doc_fail(&doc, f.code, f.retry, "%s", f.message);
	else if ((r = check_blocks(&check, blocks->p, blocks->len, chars_min)) < 0)
		doc_fail(&doc, check.code, false, "%s%s", check.message,
		    strcmp(check.code, "no_text") == 0 && pdf_scanned(&engine, fd) ? ", which have pictures" : "");
	close(fd);
	return r;
}

/* The blocks are in the blob, or here. */
static void
describe(struct buf *out, const char *blob, const struct buf *blocks)
{
	static struct buf title;

	out->len = title.len = 0;
	buf_adds(out, "{\"engine\":");
	json_quotes(out, pdf_engine_name());
	buf_addf(out, ",\"pages\":%zu,\"chars\":%zu", check.pages, check.chars);
	if (check.sparse.len)
		buf_addf(out, ",\"sparse\":[%s]", buf_str(&check.sparse));
	pdf_clean(&title, buf_str(&engine.doc.title), engine.doc.title.len);
	if (title.len) {
		buf_adds(out, ",\"title\":");
		json_quote(out, title.p, title.len);
	}
	if (blob) {
		buf_addf(out, ",\"blocks\":%zu,\"blocks_blob\":{\"sha256\":\"%s\",\"length\":%zu}", check.blocks, blob, blocks->len);
	} else {
		buf_adds(out, ",\"blocks\":");
		buf_add(out, blocks->p, blocks->len);
	}
	buf_addf(out, ",\"pdf\":\"%s\",\"stage\":\"" STAGE "\"}", sum);
}

static void
emit(const struct buf *blocks)
{
	static struct buf about;
	struct rec_change c = { .name = "parsed" };
	char hex[SHA256_HEX];
	bool blob = arg_env("SLUICE_BLOBS", NULL);

	if (blob && (body_blobs(&blobs) < 0 || blob_put(&blobs, blocks->p, blocks->len, hex) < 0)) {
		stage_error(&s, "blob_unavailable", true, "SLUICE_BLOBS: %s", strerror(errno));
		return;
	}
	describe(&about, blob ? hex : NULL, blocks);
	c.val = about.p;
	c.len = about.len;
	stage_edit(&s, &c, 1);
}

static void
job(void)
{
	static struct buf blocks;
	int got = source();

	if (got == 0 || (got > 0 && done_before()))
		stage_pass(&s);
	else if (got < 0 || parse(&blocks) < 0)
		stage_error_rec(&s, &s.rec, doc.fault.code, doc.fault.retry, doc.fault.after_ms, doc.fault.message);
	else
		emit(&blocks);
}

int
main(int argc, char **argv)
{
	int c;

	err_init("mineru");
	arg_help(argc, argv, usage);
	doc.max = (size_t)100 << 20;
	while ((c = getopt(argc, argv, "+c:l:m:t:")) != -1)
		switch (c) {
		case 'c': chars_min = arg_ulong("-c", optarg, 1, 1 << 20); break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': doc.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 't': engine.cpu_s = arg_ulong("-t", optarg, 1, 3600); break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	signal(SIGPIPE, SIG_IGN);
	doc.roots = arg_env("SLUICE_DOCS", NULL);
	while (stage_next(&s)) {
		if (rec_get(&s.rec, "chunk"))
			stage_pass(&s);
		else
			job();
	}
	return stage_end(&s);
}
