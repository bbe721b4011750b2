#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "proc.h"
#include "text/doc.h"

enum { INFO_MAX = 1 << 20, INFO_CPU_S = 10 };
static const size_t MEMORY = (size_t)1 << 30;

/* What T1-encoded fonts without a character map leave at 0x10-0x1f. */
static const char *const t1[16] = {
	"\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9E", "\xC2\xAB", "\xC2\xBB", "\xE2\x80\x93",
	"\xE2\x80\x94", "", "", "\xC4\xB1", "\xC8\xB7", "ff", "fi", "fl", "ffi", "ffl",
};

static void
trim(struct buf *out, size_t from)
{
	while (out->len > from && (out->p[out->len - 1] == '\n' || out->p[out->len - 1] == ' '))
		out->len--;
}

void
pdf_clean(struct buf *out, const char *p, size_t len)
{
	size_t from = out->len;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];
		size_t n = 0;

		while (i + n < len && ((unsigned char)p[i + n] >= 0x20 || p[i + n] == '\n' || p[i + n] == '\t') &&
		    p[i + n] != 0x7f)
			n++;
		if (n) {
			buf_add(out, p + i, n);
			i += n - 1;
		} else if (c == '\f') {
			trim(out, from);
			buf_adds(out, "\n\n");
		} else if (c >= 0x10 && c < 0x20) {
			buf_adds(out, t1[c - 0x10]);
		}
	}
	trim(out, from);
}

static int
judge(struct doc *d, const char *tool, const struct proc_result *r)
{
	const char *why = r->err[0] ? r->err : "no message";

	switch (r->end) {
	case PROC_EXIT:
		if (r->code == 0)
			return 0;
		if (strstr(r->err, "Incorrect password"))
			return doc_fail(d, "encrypted_pdf", false, "the PDF needs a password");
		return doc_fail(d, "bad_pdf", false, "%s: exit %d: %.400s", tool, r->code, why);
	case PROC_SIGNAL:
		return doc_fail(d, "bad_pdf", false, "%s: signal %d: %.400s", tool, r->code, why);
	case PROC_TIMEOUT:
		return doc_fail(d, "pdf_timeout", false, "%s: not done in %lu s", tool, d->limit_s);
	case PROC_TOO_LARGE:
		return doc_fail(d, "too_large", false, "the text is over %zu bytes", d->max);
	case PROC_NO_EXEC:
		return doc_fail(d, "no_pdf_tool", true, "%s: %s", tool, strerror(r->code));
	case PROC_REFUSED:
	case PROC_ERR:
		break;
	}
	return doc_fail(d, "pdf_failed", true, "%s: %s", tool, strerror(r->code));
}

static int
run(struct doc *d, const char *const *argv, size_t out_max, unsigned long cpu_s, struct proc_result *r)
{
	struct proc p = {
		.argv = argv,
		.out_max = out_max,
		.wall_ms = cpu_s * 2000,
		.limit = { .cpu_s = cpu_s, .data_max = MEMORY },
	};

	r->out.len = 0;
	p.in_fd = proc_memfd("document.pdf", d->bytes.p, d->bytes.len);
	if (p.in_fd < 0)
		return doc_fail(d, "pdf_failed", true, "memfd: %s", strerror(errno));
	proc_run(&p, r);
	close(p.in_fd);
	return judge(d, argv[0], r);
}

/* The rest of pdfinfo's line that begins with key, or NULL. */
static const char *
info_line(const char *out, const char *key, size_t *len)
{
	size_t n = strlen(key);

	for (const char *p = out; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) != 0)
			continue;
		p += n + strspn(p + n, " \t");
		*len = strcspn(p, "\r\n");
		return p;
	}
	return NULL;
}

/* Title and pages. A PDF that gives text and no information is good enough. */
static void
info_read(struct doc *d)
{
	static const char *const argv[] = { "pdfinfo", "-enc", "UTF-8", "-", NULL };
	static struct proc_result r = PROC_RESULT_INIT;
	const char *p;
	size_t len;

	if (run(d, argv, INFO_MAX, INFO_CPU_S, &r) < 0)
		return;
	buf_str(&r.out);
	for (size_t i = 0; i < r.out.len; i++)
		if (!r.out.p[i])
			r.out.p[i] = ' ';       /* what some files have in their information */
	/* The last such line: a title and its like stand before it and may have line ends. */
	for (p = r.out.p; (p = info_line(p, "Pages:", &len)); p += len)
		d->pages = strtoul(p, NULL, 10);
	if ((p = info_line(r.out.p, "Title:", &len)) && strncasecmp(p, "untitled", 8) != 0)
		pdf_clean(&d->title, p, len);
}

int
pdf_extract(struct doc *d)
{
	static const char *const argv[] = { "pdftotext", "-enc", "UTF-8", "-", "-", NULL };
	static struct proc_result r = PROC_RESULT_INIT;

	d->content_type = "application/pdf";
	if (run(d, argv, d->max, d->limit_s, &r) < 0)
		return -1;
	pdf_clean(&d->text, r.out.p, r.out.len);
	info_read(d);
	return 0;
}
