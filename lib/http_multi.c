#include "http_multi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"

struct http_slot {
	struct http_slot *next; /* of the free ones */
	struct http_slot *every;
	struct http_call k;
	struct http_transfer *t;
	struct curl_slist *headers;
	curl_mime *mime;
};

struct http_multi {
	CURLM *m;
	struct cidr_list allow;
	char agent[128];
	struct http_slot *free, *every;
};

struct http_multi *
http_multi_open(const char *allow, const char *agent, unsigned at_once)
{
	struct http_multi *m = mem_zalloc(sizeof *m);

	snprintf(m->agent, sizeof m->agent, "%s", agent ? agent : "sluice");
	if (allow && cidr_parse(&m->allow, allow) < 0) {
		http_multi_free(m);
		errno = EINVAL;
		return NULL;
	}
	if (http_curl() == 0 && (m->m = curl_multi_init()) &&
	    curl_multi_setopt(m->m, CURLMOPT_MAXCONNECTS, (long)at_once) == CURLM_OK)
		return m;
	http_multi_free(m);
	errno = ENOMEM;
	return NULL;
}

/* Detaches what a transfer borrowed; the handle keeps its connection's pool only. */
static void
let_go(struct http_multi *m, struct http_slot *s)
{
	curl_easy_reset(s->k.c);
	curl_slist_free_all(s->headers);
	curl_mime_free(s->mime);
	s->headers = NULL;
	s->mime = NULL;
	s->t->slot = NULL;
	s->t = NULL;
	s->next = m->free;
	m->free = s;
}

void
http_multi_free(struct http_multi *m)
{
	if (!m)
		return;
	while (m->every) {
		struct http_slot *s = m->every;

		m->every = s->every;
		if (s->t) {
			curl_multi_remove_handle(m->m, s->k.c);
			let_go(m, s);
		}
		curl_easy_cleanup(s->k.c);
		free(s);
	}
	if (m->m)
		curl_multi_cleanup(m->m);
	cidr_free(&m->allow);
	free(m);
}

static struct http_slot *
a_slot(struct http_multi *m)
{
	struct http_slot *s = m->free;

	if (s) {
		m->free = s->next;
		return s;
	}
	s = mem_zalloc(sizeof *s);
	if (!(s->k.c = curl_easy_init())) {
		free(s);
		return NULL;
	}
	s->every = m->every;
	m->every = s;
	return s;
}

static CURLcode
add_part(struct http_slot *s, const struct http_part *p)
{
	curl_mimepart *part = curl_mime_addpart(s->mime);
	CURLcode e = part ? curl_mime_name(part, p->name) : CURLE_OUT_OF_MEMORY;

	if (!e)
		e = p->path ? curl_mime_filedata(part, p->path) : curl_mime_data(part, p->p, p->len);
	if (!e && p->file)
		e = curl_mime_filename(part, p->file);
	if (!e && p->type)
		e = curl_mime_type(part, p->type);
	return e;
}

static CURLcode
set_body(struct http_slot *s, const struct http_transfer *t)
{
	CURLcode e = CURLE_OK;

	if (t->n_parts) {
		if (!(s->mime = curl_mime_init(s->k.c)))
			return CURLE_OUT_OF_MEMORY;
		for (size_t i = 0; !e && i < t->n_parts; i++)
			e = add_part(s, &t->parts[i]);
		return e ? e : curl_easy_setopt(s->k.c, CURLOPT_MIMEPOST, s->mime);
	}
	if (!t->body)
		return CURLE_OK;
	e = curl_easy_setopt(s->k.c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
	return e ? e : curl_easy_setopt(s->k.c, CURLOPT_POSTFIELDS, t->body);
}

static CURLcode
set_headers(struct http_slot *s, const struct http_transfer *t)
{
	for (const char *const *h = t->headers; h && *h; h++) {
		struct curl_slist *more = curl_slist_append(s->headers, *h);

		if (!more)
			return CURLE_OUT_OF_MEMORY;
		s->headers = more;
	}
	return s->headers ? curl_easy_setopt(s->k.c, CURLOPT_HTTPHEADER, s->headers) : CURLE_OK;
}

int
http_multi_add(struct http_multi *m, struct http_transfer *t)
{
	struct http_slot *s = a_slot(m);
	CURLcode e;

	if (!s)
		return http_fail(t->r, "fetch_failed", true, "libcurl cannot start");
	s->t = t;
	t->slot = s;
	s->k = (struct http_call){ .c = s->k.c, .allow = &m->allow, .r = t->r, .max = t->max, .sink = t->sink, .ctx = t->ctx };
	http_begin(&s->k);
	t->next[0] = t->etag[0] = t->modified[0] = t->control[0] = t->expires[0] = t->vary[0] = 0;
	e = http_guard(&s->k, t->connect_ms, t->total_ms, m->agent);
	if (!e)
		e = curl_easy_setopt(s->k.c, CURLOPT_PRIVATE, (void *)s);
	if (!e)         /* one that says its length is refused before it is sent */
		e = curl_easy_setopt(s->k.c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max);
	if (!e)
		e = curl_easy_setopt(s->k.c, CURLOPT_URL, t->url);
	if (!e)
		e = set_body(s, t);
	if (!e)
		e = set_headers(s, t);
	if (!e && t->method)
		e = curl_easy_setopt(s->k.c, CURLOPT_CUSTOMREQUEST, t->method);
	if (!e && curl_multi_add_handle(m->m, s->k.c) == CURLM_OK)
		return 0;
	let_go(m, s);
	return http_fail(t->r, "fetch_failed", true, e ? curl_easy_strerror(e) : "libcurl takes no more");
}

struct http_transfer *
http_multi_done(struct http_multi *m)
{
	struct http_transfer *t;
	struct http_slot *s;
	CURLMsg *msg;
	int left;

	if (curl_multi_perform(m->m, &left) != CURLM_OK)
		return NULL;
	do
		if (!(msg = curl_multi_info_read(m->m, &left)))
			return NULL;
	while (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&s) != CURLE_OK);
	t = s->t;
	http_judge(&s->k, msg->data.result);
	http_headers(s->k.c, t);
	curl_multi_remove_handle(m->m, s->k.c);
	let_go(m, s);
	return t;
}

int
http_multi_wait(struct http_multi *m, int fd, int timeout_ms)
{
	struct curl_waitfd w = { .fd = fd, .events = CURL_WAIT_POLLIN };

	if (timeout_ms < 0)
		timeout_ms = 3600 * 1000;       /* it knows no "for ever" */
	return curl_multi_poll(m->m, &w, fd < 0 ? 0 : 1, timeout_ms, NULL) == CURLM_OK ? 0 : -1;
}
