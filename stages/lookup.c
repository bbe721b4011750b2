/* lookup - concepts of mentions by asking RxNav and the ICD API. See docs/lookup.1. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "err.h"
#include "flow.h"
#include "http_multi.h"
#include "json.h"
#include "lexicon/lexasked.h"
#include "lexicon/lexlook.h"
#include "oauth.h"
#include "words.h"

static const char usage[] = "lookup [-i vocabs] [-l maxbytes] [-r vocabs]\n"
    "\n"
    "Asks for the concepts of mentions in \"mapping\" by their names: those of some\n"
    "vocabularies at RxNav (RxNorm), those of others at the ICD API (ICD-11).\n"
    "\n"
    "  -r vocabs    of drugs, by ',' (default $SLUICE_LOOKUP_RXNORM)\n"
    "  -i vocabs    of diseases, by ',' (default $SLUICE_LOOKUP_ICD11)\n"
    "  -l maxbytes  the longest record (default 16M)\n"
    "\n"
    "Where neither is set all lines pass. SLUICE_ICD_KEY_FILE names the file with\n"
    "CLIENT_ID:CLIENT_SECRET, SLUICE_RXNAV_URL, SLUICE_ICD_URL and\n"
    "SLUICE_ICD_TOKEN_URL other servers, SLUICE_RATE the requests a second (default 5).\n";

struct service {
	const char *vocab;      /* what its concepts are called by */
	const char *vocabs;     /* whose names it is asked for; NULL: it is not */
	const char *base;
	enum lex_look (*read)(struct buf *, const char *, size_t, const char *, size_t);
	struct lex_asked asked;
};

/* One record on its way. */
struct asking {
	struct flow_item *it;
	size_t pending;
	bool failed;
	struct http_result fault;
	const char *who;
};

/* One name of it. */
struct question {
	struct asking *a;
	struct service *s;
	uint32_t name;
	struct question *next;  /* of the same name, which is asked for once */
};

static struct stage s = STAGE_INIT;
static struct service services[] = {
	{ .vocab = "rxnorm", .read = lex_look_rxnorm }, { .vocab = "icd11", .read = lex_look_icd11 } };
static struct oauth icd = { .scope = "icdapi_access" };

/* Who is to be asked for a mention; name gets what for. */
static struct service *
service_of(struct rec *mention, const struct rec_member *m, struct buf *name)
{
	static struct buf vocab;

	vocab.len = name->len = 0;
	if (m->type != '{' || rec_parse(mention, m->val, m->val_len) != REC_OK || rec_str(rec_get(mention, "vocab"), &vocab) < 0 ||
	    rec_str(rec_get(mention, "name"), name) < 0 || !name->len)
		return NULL;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].vocabs && words_have(services[i].vocabs, ",", buf_str(&vocab), vocab.len))
			return &services[i];
	return NULL;
}

static struct lex_known *
known_of(struct service *v, const struct buf *name, uint32_t *number)
{
	*number = lex_asked_number(&v->asked, name->p, name->len);
	if (*number == UINT32_MAX)
		die(XTEMP, "more names than there is room for: start again");
	return &v->asked.known[*number];
}

/* The mentions with the concepts that were found, in the place of the vocabulary's own. */
static void
tell(struct flow_item *it)
{
	static struct rec mapping, items, mention, ids;
	static struct buf array, out, name, also;
	struct rec_change c = { .name = "mentions" }, change[3] = { { .name = "vocab" }, { .name = "concept" }, { .name = "also" } };
	const struct rec_member *m = rec_get(&it->rec, "mapping");
	char vocab[16];
	uint32_t n;

	rec_parse(&mapping, m->val, m->val_len);
	m = rec_get(&mapping, "mentions");
	rec_items(&items, m->val, m->val_len);
	array.len = out.len = 0;
	for (size_t i = 0; i < items.n; i++) {
		struct service *v = service_of(&mention, &items.m[i], &name);
		struct lex_known *k = v ? known_of(v, &name, &n) : NULL;

		buf_addc(&array, i ? ',' : '[');
		also.len = 0;
		if (k && k->len)
			buf_add(&also, v->asked.answers.p + k->at, k->len);
		if (!also.len || rec_items(&ids, buf_str(&also), also.len) != REC_OK || !ids.n) {
			buf_add(&array, items.m[i].val, items.m[i].val_len);
			continue;
		}
		change[0].val = vocab;
		change[0].len = (size_t)snprintf(vocab, sizeof vocab, "\"%s\"", v->vocab);
		change[1].val = ids.m[0].val;
		change[1].len = ids.m[0].val_len;
		change[2].val = ids.n > 1 ? ids.m[1].val - 1 : NULL;    /* from the comma before it on */
		change[2].len = ids.n > 1 ? (size_t)(also.p + also.len - change[2].val) : 0;
		if (ids.n > 1)
			also.p[change[2].val - also.p] = '[';
		rec_edit(&array, &mention, change, 3);
	}
	buf_adds(&array, items.n ? "]" : "[]");
	c.val = array.p;
	c.len = array.len;
	rec_edit(&out, &mapping, &c, 1);
	c = (struct rec_change){ "mapping", out.p, out.len };
	flow_edit(it, &c, 1);
}

static void
settle(struct asking *a)
{
	if (a->pending)
		return;
	if (a->failed)
		flow_fault(a->it, &a->fault, a->who);
	else
		tell(a->it);
}

/* The first fault is the record's. */
static void
fail(struct asking *a, const struct http_result *r, const char *who)
{
	if (a->failed)
		return;
	a->failed = true;
	a->who = who;
	a->fault.code = r->code;
	a->fault.retry = r->retry;
	a->fault.after_ms = r->after_ms;
	memcpy(a->fault.message, r->message, sizeof r->message);
}

static void
answered(void *ctx, struct http_result *r)
{
	struct question *q = ctx, *next;
	struct service *v = q->s;
	struct lex_known *k = &v->asked.known[q->name];
	const struct lex_strings *names = &v->asked.names;
	static struct buf ids;
	bool failed;

	ids.len = 0;
	buf_addc(&ids, '[');
	buf_room(&r->body, 1);
	if (!r->code && v->read(&ids, r->body.p, r->body.len, names->bytes.p + names->at[q->name],
	    names->at[q->name + 1] - names->at[q->name]) == LEX_LOOK_BAD) {
		r->forget = true;
		http_fail(r, "bad_answer", true, "the answer is not one of this service");
	}
	if (r->status == 401)
		icd.until = 0;       /* another token for another try */
	failed = r->code && r->status != 404;
	r->retry |= r->status == 401;
	buf_addc(&ids, ']');
	if (!failed)
		lex_asked_note(&v->asked, q->name, ids.p, ids.len);
	q = k->asking;
	for (k->asking = NULL; q; q = next) {
		next = q->next;
		if (failed)
			fail(q->a, r, v->vocab);
		q->a->pending--;
		settle(q->a);
		free(q);
	}
}

static void
ask(struct asking *a, struct service *v, uint32_t number, const struct buf *name)
{
	static struct buf url;
	struct lex_known *k = &v->asked.known[number];
	struct question *q = mem_alloc(sizeof *q);
	struct fetch_request f = { .keep = true, .done = answered, .ctx = q };

	*q = (struct question){ a, v, number, k->asking };
	k->asking = q;
	a->pending++;
	if (q->next)
		return;
	url.len = 0;
	buf_adds(&url, v->base);
	buf_adds(&url, v == &services[0] ? "/REST/rxcui.json?search=2&name=" : "/search?flatResults=true&q=");
	http_escape(&url, name->p, name->len, "");
	f.url = buf_str(&url);
	f.header = v == &services[1] ? "API-Version: v2" : "Accept: application/json";
	f.secret = v == &services[1] && icd.bearer.len ? buf_str(&icd.bearer) : NULL;
	f.keep_for = icd.basic.len ? buf_str(&icd.basic) : NULL;
	fetch_start(icd.f, &f);
}

static void
begin(struct flow *fl, struct flow_item *it)
{
	static struct rec mapping, items, mention;
	static struct http_result r;
	static struct buf name;
	struct asking *a = it->own;
	const struct rec_member *m = rec_get(&it->rec, "mapping");
	bool any = false;

	*a = (struct asking){ .it = it, .pending = 1 };
	if (!m || m->type != '{' || rec_parse(&mapping, m->val, m->val_len) != REC_OK || !(m = rec_get(&mapping, "mentions")) ||
	    m->type != '[' || rec_items(&items, m->val, m->val_len) != REC_OK) {
		flow_pass(it);
		return;
	}
	for (size_t i = 0; i < items.n && !a->failed; i++) {
		struct service *v = service_of(&mention, &items.m[i], &name);
		struct lex_known *k;
		uint32_t n;

		if (!v)
			continue;
		any = true;
		k = known_of(v, &name, &n);
		if (k->known)
			continue;
		if (v == &services[1] && icd.basic.len && oauth_token(&icd, &r) < 0)
			fail(a, &r, "the ICD API's token");
		else
			ask(a, v, n, &name);
		flow_room(fl, 256);     /* a record may have a hundred thousand names */
	}
	a->pending--;
	if (!any)
		flow_pass(it);
	else
		settle(a);
}

static void
read_key(void)
{
	const char *file = arg_env("SLUICE_ICD_KEY_FILE", NULL);

	if (!file)
		return;
	icd.url = arg_env("SLUICE_ICD_TOKEN_URL", "https://icdaccessmanagement.who.int/connect/token");
	if (oauth_key(&icd, file) < 0)
		die_sys(errno == EINVAL || errno == ENOENT || errno == EACCES ? XPERM : XTEMP,
		    "SLUICE_ICD_KEY_FILE: %s: CLIENT_ID:CLIENT_SECRET is wanted in it", file);
}

int
main(int argc, char **argv)
{
	static struct flow fl = { .s = &s, .begin = begin, .own = sizeof(struct asking) };
	static struct fetch_opts o = { .agent = "sluice-lookup" };
	int c;

	err_init("lookup");
	arg_help(argc, argv, usage);
	services[0].vocabs = arg_env("SLUICE_LOOKUP_RXNORM", NULL);
	services[1].vocabs = arg_env("SLUICE_LOOKUP_ICD11", NULL);
	while ((c = getopt(argc, argv, "+i:l:r:")) != -1)
		switch (c) {
		case 'i': services[1].vocabs = optarg; break;
		case 'l': s.in.max = arg_ulong("-l", optarg, 2, 1 << 30); break;
		case 'r': services[0].vocabs = optarg; break;
		default: die_usage(usage);
		}
	if (optind < argc)
		die_usage(usage);
	signal(SIGPIPE, SIG_IGN);       /* a server that hangs up is a fault of one record */
	services[0].base = arg_env("SLUICE_RXNAV_URL", "https://rxnav.nlm.nih.gov");
	services[1].base = arg_env("SLUICE_ICD_URL", "https://id.who.int/icd/release/11/2024-01/mms");
	if (services[1].vocabs)
		read_key();
	o.cache = arg_env("SLUICE_HTTP_CACHE", NULL);
	flow_open(&fl, &o);
	icd.f = fl.f;
	return flow_run(&fl);
}
