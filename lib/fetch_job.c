#include "fetch_int.h"

#include <stdio.h>
#include <string.h>

#include "now.h"

void
fetch_push(struct fetch_queue *l, struct fetch_job *j)
{
	j->next = NULL;
	if (l->last)
		l->last->next = j;
	else
		l->head = j;
	l->last = j;
	l->n++;
}

struct fetch_job *
fetch_pop(struct fetch_queue *l)
{
	struct fetch_job *j = l->head;

	if (!j)
		return NULL;
	l->head = j->next;
	if (!l->head)
		l->last = NULL;
	l->n--;
	return j;
}

/* A copy in b, or NULL. */
static const char *
keep(struct buf *b, const char *s)
{
	b->len = 0;
	if (!s)
		return NULL;
	buf_adds(b, s);
	return buf_str(b);
}

/* Without fragment, and with its blanks as browsers send them: people write such URLs. */
static void
copy_url(struct buf *out, const char *url)
{
	out->len = 0;
	for (url += strspn(url, " "); *url && *url != '#' && url[strspn(url, " ")]; url++)
		if (*url == ' ')
			buf_adds(out, "%20");
		else
			buf_addc(out, *url);
}

void
fetch_enqueue(struct fetch *f, struct fetch_job *j)
{
	char origin[FETCH_ORIGIN_MAX];

	j->host = NULL;
	j->name[0] = 0;
	if (strlen(buf_str(&j->url)) >= HTTP_URL_MAX)
		http_fail(&j->r, "bad_url", false, "it is too long");
	else if (http_origin(j->url.p, origin, sizeof origin, &j->r) == 0)
		j->host = fetch_host_of(&f->hosts, origin);
	if (!j->host) {
		fetch_push(&f->ready, j);
		return;
	}
	if (!j->origin[0])
		snprintf(j->origin, sizeof j->origin, "%s", origin);
	if (fetch_recall(f, j)) {
		fetch_push(&f->ready, j);
		return;
	}
	j->host->waiting += j->not_before != 0;
	fetch_push(j->not_before ? &f->waiting : &j->host->queue, j);
}

void
fetch_start(struct fetch *f, const struct fetch_request *q)
{
	struct fetch_job *j = fetch_pop(&f->spare);

	if (!j)
		j = mem_zalloc(sizeof *j);
	j->q = *q;
	copy_url(&j->url, q->url);
	j->q.method = keep(&j->method, q->method);
	j->q.secret = keep(&j->secret, q->secret);
	j->q.secret_query = keep(&j->secret_query, q->secret_query);
	j->q.header = keep(&j->header, q->header);
	j->q.max = q->max ? q->max : f->o.max;
	j->q.total_ms = q->total_ms ? q->total_ms : f->o.total_ms;
	j->not_before = q->wait_ms ? now_ms() + (int64_t)q->wait_ms : 0;
	j->origin[0] = 0;
	j->hops = 0;
	j->r.status = 0;
	j->r.body.len = 0;
	j->r.code = NULL;
	j->r.type[0] = j->r.url[0] = j->r.message[0] = 0;
	j->r.retry = false;
	j->r.after_ms = 0;
	j->r.forget = false;
	f->unanswered++;
	fetch_enqueue(f, j);
}

/* Appends s with its %XX as bytes. */
static void
plain(struct buf *out, const char *s)
{
	unsigned c;
	int n = 0;

	for (; *s; s++) {
		if (*s == '%' && sscanf(s + 1, "%2x%n", &c, &n) == 1 && n == 2) {
			buf_addc(out, (char)c);
			s += 2;
		} else {
			buf_addc(out, *s);
		}
	}
}

/* Takes the secret out of a URL that a server made. 0, or -1: it is still there. */
static int
forget_secret(struct fetch_job *j)
{
	static struct buf url, key;
	const char *secret = j->q.secret_query, *value;
	char *at;

	if (!secret)
		return 0;
	while ((at = strstr(buf_str(&j->url), secret)) && at > j->url.p && (at[-1] == '?' || at[-1] == '&')) {
		size_t len = strlen(secret), from = (size_t)(at - j->url.p);

		if (at[len] == '&')
			len++;
		else
			from--, len++;
		memmove(j->url.p + from, j->url.p + from + len, j->url.len - from - len);
		j->url.len -= len;
	}
	/* However it is written now. */
	value = strchr(secret, '=');
	url.len = key.len = 0;
	plain(&url, buf_str(&j->url));
	plain(&key, value ? value + 1 : "");
	return key.len > 5 && memmem(url.p, url.len, key.p, key.len) ? -1 : 0;
}

bool
fetch_go_on(struct fetch *f, struct fetch_job *j)
{
	long s = j->r.status;
	char origin[FETCH_ORIGIN_MAX];
	bool same = s == 307 || s == 308;
	bool get = !j->q.body && !j->q.n_parts && (!j->q.method || strcmp(j->q.method, "GET") == 0);

	if (!j->t.next[0] || (s != 301 && s != 302 && s != 303 && !same))
		return false;
	if (j->hops++ >= f->o.redirects) {
		http_fail(&j->r, "too_many_redirects", false, "it redirects again and again");
		return false;
	}
	copy_url(&j->url, j->t.next);
	if (forget_secret(j) < 0) {
		http_fail(&j->r, "url_refused", false, "it redirects to a URL with the key in it");
		return false;
	}
	/* What is sent goes nowhere else, and nothing turns it into a GET. */
	if (!get && (!same || http_origin(buf_str(&j->url), origin, sizeof origin, &j->r) < 0 ||
	    strcmp(origin, j->origin) != 0)) {
		http_fail(&j->r, "http_status", false, "it redirects what may not be sent elsewhere");
		return false;
	}
	j->not_before = 0;
	f->totals.redirected++;
	j->r.code = NULL;
	fetch_enqueue(f, j);
	return true;
}
