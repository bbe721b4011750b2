#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text/beneath.h"
#include "text/doc.h"

int
doc_fail(struct doc *d, const char *code, bool retry, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->fault.message, sizeof d->fault.message, fmt, ap);
	va_end(ap);
	d->fault.code = code;
	d->fault.retry = retry;
	d->fault.after_ms = 0;
	return -1;
}

static int
read_file(struct doc *d, int fd)
{
	for (;;) {
		ssize_t n = read(fd, buf_room(&d->bytes, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return doc_fail(d, "unreadable", true, "path: %s", strerror(errno));
		if (n == 0)
			return 0;
		d->bytes.len += (size_t)n;
		if (d->bytes.len > d->max)
			return doc_fail(d, "too_large", false, "path: the file is over %zu bytes", d->max);
	}
}

static int
from_path(struct doc *d, const struct buf *path)
{
	int fd, r;

	if (!d->roots)
		return doc_fail(d, "path_refused", false, "path: no folder is allowed, SLUICE_DOCS is not set");
	fd = beneath_open(d->roots, path->p, path->len);
	if (fd < 0)
		switch (errno) {
		case EXDEV:
			return doc_fail(d, "path_refused", false, "path: not under a folder of SLUICE_DOCS");
		case EINVAL:
		case ENAMETOOLONG:
			return doc_fail(d, "path_refused", false, "path: no file can have this name");
		case ENOENT:
		case ENOTDIR:
			return doc_fail(d, "not_found", false, "path: no such file");
		case EISDIR:
			return doc_fail(d, "not_regular", false, "path: not a regular file");
		case EACCES:
			return doc_fail(d, "unreadable", false, "path: %s", strerror(errno));
		default:
			return doc_fail(d, "unreadable", true, "path: %s", strerror(errno));
		}
	r = read_file(d, fd);
	close(fd);
	return r;
}

static int
from_url(struct doc *d, struct buf *url)
{
	static struct http_result r = HTTP_RESULT_INIT;

	if (memchr(url->p, 0, url->len))
		return doc_fail(d, "bad_url", false, "url: it has a NUL character");
	if (http_get(d->http, buf_str(url), &r) < 0) {
		doc_fail(d, r.code, r.retry, "url: %s", r.message);
		d->fault.after_ms = r.after_ms;
		return -1;
	}
	buf_add(&d->bytes, r.body.p, r.body.len);
	if (!d->type.len)
		buf_adds(&d->type, r.type);
	return 0;
}

int
doc_source(struct doc *d, const struct rec *r)
{
	static const char *const names[] = { "text", "path", "url" };
	static struct buf where;
	const struct rec_member *m = NULL;
	size_t i;

	d->bytes.len = d->type.len = d->text.len = d->title.len = 0;
	d->is_text = d->same = false;
	d->content_type = d->charset = NULL;
	d->replaced = 0;
	d->pages = 0;
	rec_str(rec_get(r, "content_type"), &d->type);
	for (i = 0; i < 3 && !(m = rec_get(r, names[i])); i++)
		;
	if (!m)
		return doc_fail(d, "no_source", false, "none of text, path and url is there");
	where.len = 0;
	if (rec_str(m, i == 0 ? &d->bytes : &where) < 0)
		return doc_fail(d, "bad_source", false, "%s: not a string", names[i]);
	d->is_text = i == 0;
	if (d->is_text && d->bytes.len > d->max)
		return doc_fail(d, "too_large", false, "text: it is over %zu bytes", d->max);
	buf_str(&where);
	return i == 0 ? 0 : i == 1 ? from_path(d, &where) : from_url(d, &where);
}
