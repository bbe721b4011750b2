#include "pdf/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

enum { INFO_MAX = 1 << 20 };

static int __attribute__((format(printf, 4, 5)))
fail(struct pdf_fault *f, const char *code, bool retry, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->message, sizeof f->message, fmt, ap);
	va_end(ap);
	f->code = code;
	f->retry = retry;
	return -1;
}

static int
judge(const struct pdf_engine *e, struct pdf_fault *f, const char *tool, const struct proc_result *r)
{
	const char *why = r->err[0] ? r->err : "no message";

	switch (r->end) {
	case PROC_EXIT:
		if (r->code == 0)
			return 0;
		if (strstr(r->err, "Incorrect password"))
			return fail(f, "encrypted", false, "the PDF needs a password");
		return fail(f, "bad_pdf", false, "%s: exit %d: %.400s", tool, r->code, why);
	case PROC_SIGNAL:
		if (r->code == SIGKILL)         /* the kernel wants memory, or somebody killed it */
			return fail(f, "pdf_failed", true, "%s: killed from outside", tool);
		return fail(f, "bad_pdf", false, "%s: signal %d: %.400s", tool, r->code, why);
	case PROC_TIMEOUT:
		/* CPU time is the file's own; real time may be the machine's. */
		return fail(f, "timeout", r->code != SIGXCPU, "%s: not done in %lu s%s", tool,
		    r->code == SIGXCPU ? e->cpu_s : e->cpu_s * 2, r->code == SIGXCPU ? " of CPU time" : "");
	case PROC_TOO_LARGE:
		return fail(f, "too_large", false, "%s: printed more than can be right", tool);
	case PROC_REFUSED:
		if (r->code == EFBIG)
			return fail(f, "too_large", false, "over %zu bytes of text or %d pages", e->text_max, PDF_PAGES_MAX);
		return fail(f, "bad_pdf", false, "%s: printed what can't be read", tool);
	case PROC_NO_EXEC:
		return fail(f, "no_pdf_tool", true, "%s: %s", tool, strerror(r->code));
	case PROC_ERR:
		break;
	}
	return fail(f, "pdf_failed", true, "%s: %s", tool, strerror(r->code));
}

static int
run(struct pdf_engine *e, int fd, const char *const *argv, int (*sink)(void *, const char *, size_t),
    struct proc_result *r, struct pdf_fault *f)
{
	struct proc p = {
		.argv = argv,
		.in_fd = fd,
		.out_max = sink ? 0 : INFO_MAX,
		.wall_ms = e->cpu_s * 2000,
		.sink = sink,
		.ctx = e,
		.limit = { .cpu_s = e->cpu_s, .data_max = e->memory },
	};

	r->out.len = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return fail(f, "pdf_failed", true, "lseek: %s", strerror(errno));
	proc_run(&p, r);
	return judge(e, f, argv[0], r);
}

const char *
pdf_engine_name(void)
{
	static const char *const argv[] = { "pdftotext", "-v", NULL };
	static char name[64];
	struct proc p = { .argv = argv, .in_fd = -1, .out_max = 4096, .wall_ms = 10000 };
	struct proc_result r = PROC_RESULT_INIT;
	const char *v;

	if (!name[0]) {
		proc_run(&p, &r);
		v = strstr(r.err, "version ");
		if (r.end == PROC_EXIT && v)
			snprintf(name, sizeof name, "builtin/1 poppler %.*s", (int)strspn(v + 8, "0123456789."), v + 8);
		buf_free(&r.out);
	}
	return name[0] ? name : NULL;
}

int
pdf_pages(struct pdf_engine *e, int fd, size_t *pages, struct pdf_fault *f)
{
	static const char *const argv[] = { "pdfinfo", "-enc", "UTF-8", "/dev/stdin", NULL };
	static struct proc_result r = PROC_RESULT_INIT;
	const char *p;

	if (run(e, fd, argv, NULL, &r, f) < 0)
		return -1;
	for (size_t i = 0; i < r.out.len; i++)
		if (!r.out.p[i])
			r.out.p[i] = ' ';       /* what some files have in their information */
	/* The last such line: a title and its like stand before it and may have line ends. */
	*pages = 0;
	for (p = buf_str(&r.out); p; p = strchr(p, '\n'), p += p != NULL)
		if (strncmp(p, "Pages:", 6) == 0)
			*pages = strtoul(p + 6, NULL, 10);
	if (!*pages)
		return fail(f, "bad_pdf", false, "the PDF has no pages");
	if (*pages > PDF_PAGES_MAX)
		return fail(f, "too_large", false, "the PDF has %zu pages, the limit is %d", *pages, PDF_PAGES_MAX);
	return 0;
}

bool
pdf_scanned(struct pdf_engine *e, int fd)
{
	static const char *const argv[] = { "pdfimages", "-list", "-l", "3", "/dev/stdin", NULL };
	static struct proc_result r = PROC_RESULT_INIT;
	struct pdf_fault ignored;
	const char *p;

	if (run(e, fd, argv, NULL, &r, &ignored) < 0)
		return false;
	p = strstr(buf_str(&r.out), "---\n");
	return p && p[4];
}

static int
feed(void *ctx, const char *p, size_t len)
{
	struct pdf_engine *e = ctx;

	return bbox_feed(&e->bbox, p, len);
}

void
pdf_blocks(struct pdf_engine *e, struct buf *blocks)
{
	struct pdf_doc *d = &e->doc;

	pdf_marks(d);
	for (size_t p = 0; p < d->npages; p++)
		pdf_page_paras(d, p);
	pdf_kinds(d);
	pdf_write(blocks, d);
}

int
pdf_parse(struct pdf_engine *e, int fd, struct buf *blocks, size_t *pages, struct pdf_fault *f)
{
	static const char *const argv[] = { "pdftotext", "-bbox", "-raw", "-enc", "UTF-8", "/dev/stdin", "-", NULL };
	static struct proc_result r = PROC_RESULT_INIT;

	if (pdf_pages(e, fd, pages, f) < 0)
		return -1;
	bbox_begin(&e->bbox, &e->doc, e->text_max);
	if (run(e, fd, argv, feed, &r, f) < 0)
		return -1;
	if (bbox_end(&e->bbox) < 0)
		return fail(f, "bad_pdf", false, "pdftotext: what it printed is torn");
	if (e->doc.npages != *pages)
		return fail(f, "page_mismatch", false, "%zu pages could be read of %zu", e->doc.npages, *pages);
	pdf_blocks(e, blocks);
	return 0;
}
