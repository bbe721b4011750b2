#include "adapter.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arg.h"
#include "doi.h"
#include "err.h"
#include "flow.h"
#include "places.h"
#include "text/body.h"

enum { WARNINGS = 10 };

/* One record on its way. */
struct asking {
	struct flow_item *it;
	struct work w;
	bool has_pdf;   /* the document is there, or a place is known that may have it */
};

static struct stage s = STAGE_INIT;
static struct adapter *a;
static struct buf base;
static struct {
	uint64_t found, not_found, skipped, failed;
} asked;
static bool always;
static unsigned long give_up;   /* the attempt from which a failing service is passed over; 0: none */

/* A place that was tried and gave no PDF is none, also where it may have it later. */
static bool
has_pdf(const struct rec *r)
{
	static struct places p;

	if (rec_get(r, "pdf") || body_there(r))
		return true;
	places_of(&p, r);
	return places_next(&p) < p.n;
}

/* An operator should see that a service says nothing, and for which jobs. */
static void
count(const struct flow_item *it, const char *outcome, const char *why)
{
	static struct buf job;

	if (strcmp(outcome, "found") == 0)
		asked.found++;
	else if (strcmp(outcome, "not_found") == 0)
		asked.not_found++;
	else if (strcmp(outcome, "skipped") == 0)
		asked.skipped++;
	else if (asked.failed++ < WARNINGS) {
		job.len = 0;
		rec_str(rec_get(&it->rec, "job_id"), &job);
		warn("gone on without it: job=%s code=%s", buf_str(&job), why);
	}
}

/* Answers the record with what is known now. */
static void
tell(struct asking *q, const char *outcome, const char *why, bool again, const struct buf *text)
{
	static struct buf json;
	struct rec_change c[2] = { { .name = "work" } };
	size_t n = 1, used, more;

	count(q->it, outcome, why);
	work_ask(&q->w, a->name, outcome, why, again, time(NULL));
	if (text) {
		q->w.content.len = 0;
		buf_adds(&q->w.content, a->name);
	}
	json.len = 0;
	work_print(&json, &q->w);
	c[0].val = json.p;
	c[0].len = json.len;
	used = q->it->rec.len + json.len + 64;
	if (text) {
		if (!(more = adapter_content(q->it, &c[1], text, used < s.in.max ? s.in.max - used : 0)))
			return;
		n += more;
	}
	flow_edit(q->it, c, n);
}

static void
found(struct asking *q, struct http_result *r)
{
	static struct buf text;

	text.len = 0;
	switch (a->read(&q->w, r->body.p, r->body.len, q->has_pdf ? NULL : &text)) {
	case WORK_FOUND:
		tell(q, "found", NULL, false, text.len ? &text : NULL);
		break;
	case WORK_NONE:
		tell(q, "not_found", NULL, false, NULL);
		break;
	case WORK_BAD:
		r->forget = true;
		if (flow_late(q->it, give_up))
			tell(q, "failed", "bad_answer", true, NULL);
		else
			flow_error(q->it, "bad_answer", true, 0, "%s: the answer is not one of this service", a->name);
		break;
	}
}

static void
answered(void *ctx, struct http_result *r)
{
	struct asking *q = ctx;
	/* Else the service sent us elsewhere, where neither our key nor our setting counts. */
	bool ours = strncmp(r->url, buf_str(&base), base.len) == 0;

	buf_room(&r->body, 1);
	if (!r->code)
		found(q, r);
	else if (r->status == 404 || r->status == 410)
		tell(q, "not_found", NULL, false, NULL);
	else if (ours && (r->status == 401 || (a->refusal && r->status == a->refusal)))
		flow_error(q->it, "key_refused", false, 0, "%s: the server answered %ld: the key or the e-mail address is wrong",
		    a->name, r->status);
	else if (ours && (strcmp(r->code, "bad_url") == 0 || strcmp(r->code, "url_refused") == 0))
		flow_fault(q->it, r, a->name);
	else if (!r->retry || flow_late(q->it, give_up))
		tell(q, "failed", r->code, r->retry, NULL);
	else
		flow_fault(q->it, r, a->name);
}

static void
ask(struct flow *fl, struct asking *q)
{
	static struct buf url;
	struct fetch_request f = { .header = "Accept: application/json", .keep = true, .done = answered, .ctx = q };

	url.len = 0;
	buf_add(&url, base.p, base.len);
	a->url(&url, &q->w.doi);
	f.url = buf_str(&url);
	f.secret = a->secret.len ? buf_str(&a->secret) : NULL;
	f.secret_query = a->secret_query.len ? buf_str(&a->secret_query) : NULL;
	fetch_start(fl->f, &f);
}

static void
begin(struct flow *fl, struct flow_item *it)
{
	static struct buf said, doi;
	const struct rec_member *m = rec_get(&it->rec, "doi");
	struct asking *q = it->own;
	enum work_asked before;
	bool enough;

	if (!m) {
		flow_pass(it);
		return;
	}
	said.len = doi.len = 0;
	if (rec_str(m, &said) < 0 || doi_normal(&doi, buf_str(&said), said.len) < 0) {
		flow_error(it, "bad_doi", false, 0, "doi: it is none");
		return;
	}
	q->it = it;
	if (work_read(&q->w, rec_get(&it->rec, "work")) < 0 || q->w.doi.len != doi.len ||
	    memcmp(q->w.doi.p, doi.p, doi.len) != 0) {
		work_reset(&q->w);
		buf_add(&q->w.doi, doi.p, doi.len);
	}
	q->has_pdf = has_pdf(&it->rec);
	before = work_asked(&q->w, a->name);
	enough = !always && work_enough(&q->w, q->has_pdf);
	if (before == WORK_ASKED || (before == WORK_FAILED && enough))
		flow_pass(it);
	else if (enough)
		tell(q, "skipped", "enough", false, NULL);
	else if (a->skip)
		tell(q, "skipped", a->skip, false, NULL);
	else
		ask(fl, q);
}

static void
read_base(void)
{
	const char *url = arg_env(a->base_env, a->base);

	buf_add(&base, url, strlen(url));
	while (base.len && base.p[base.len - 1] == '/')
		base.len--;
}

int
adapter_main(struct adapter *which, int argc, char **argv)
{
	static struct flow fl = { .s = &s, .begin = begin, .own = sizeof(struct asking) };
	static struct fetch_opts o;
	int c;

	a = which;
	err_init(a->name);
	arg_help(argc, argv, a->usage);
	while ((c = getopt(argc, argv, "+ag:j:l:m:t:w:")) != -1)
		switch (c) {
		case 'a': always = true; break;
		case 'g': give_up = arg_ulong("-g", optarg, 1, 1000); break;
		case 'j': o.per_host = (unsigned)arg_ulong("-j", optarg, 1, 64); break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'm': o.max = arg_ulong("-m", optarg, 1, 1 << 30); break;
		case 't': o.total_ms = arg_ulong("-t", optarg, 1, 3600) * 1000; break;
		case 'w': fl.most = arg_ulong("-w", optarg, 1, 65536); break;
		default: die_usage(a->usage);
		}
	if (optind < argc)
		die_usage(a->usage);
	body_settings();
	signal(SIGPIPE, SIG_IGN);       /* a server that hangs up is a fault of one record */
	if (a->start)
		a->start(a);
	read_base();
	o.agent = a->agent;
	o.cache = arg_env("SLUICE_HTTP_CACHE", NULL);
	flow_open(&fl, &o);
	c = flow_run(&fl);
	info("asked: found=%" PRIu64 " not_found=%" PRIu64 " skipped=%" PRIu64 " failed=%" PRIu64,
	    asked.found, asked.not_found, asked.skipped, asked.failed);
	return c;
}
