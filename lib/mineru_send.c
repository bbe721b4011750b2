#include <stdio.h>
#include <string.h>

#include "mineru.h"

static void
request(struct mineru_doc *d, const char *path, void (*done)(void *, struct http_result *), struct fetch_request *q)
{
	char url[sizeof d->s->base + MINERU_ID_MAX + 64];

	snprintf(url, sizeof url, "%s%s", d->s->base, path);
	q->url = url;
	q->secret = d->m->secret;
	q->header = "Accept: application/json";
	q->done = done;
	q->ctx = d;
	fetch_start(d->m->f, q);
}

void
mineru_look(struct mineru_doc *d, const char *what, void (*done)(void *, struct http_result *), unsigned long wait_ms)
{
	struct fetch_request q = { .max = done == mineru_finished ? d->m->max : 1 << 20, .total_ms = d->m->limit_s * 1000, .wait_ms = wait_ms };
	char path[MINERU_ID_MAX + 32];

	snprintf(path, sizeof path, "/tasks/%s%s", d->task.id, what);
	request(d, path, done, &q);
}

static void
field(struct mineru_doc *d, size_t *n, const char *name, const char *value)
{
	if (value)
		d->part[(*n)++] = (struct http_part){ .name = name, .p = value, .len = strlen(value) };
}

void
mineru_send(struct mineru_doc *d)
{
	struct fetch_request q = { .parts = d->part, .total_ms = d->m->limit_s * 1000 };
	size_t n = 1;

	d->simple = d->s->simple;
	q.max = d->simple ? d->m->max : 1 << 20;
	d->code = NULL;
	if (!d->pdf.len && d->load(d->ctx, d) < 0) {
		d->done(d->ctx, d);
		return;
	}
	d->part[0] = (struct http_part){ .name = "files", .p = d->pdf.p, .len = d->pdf.len, .file = "document.pdf", .type = "application/pdf" };
	field(d, &n, "return_content_list", "true");
	field(d, &n, "return_md", "false");
	field(d, &n, "return_middle_json", "false");
	field(d, &n, "return_model_output", "false");
	field(d, &n, "return_images", "false");
	field(d, &n, "response_format_zip", "false");
	field(d, &n, "backend", d->m->backend);
	field(d, &n, "parse_method", d->m->method);
	q.n_parts = n;
	d->sent++;
	d->misses = 0;
	request(d, d->simple ? "/file_parse" : "/tasks", d->simple ? mineru_finished : mineru_accepted, &q);
}
