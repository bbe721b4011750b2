/* fuzz-api - what strangers send to jobs-api, taken apart: words of lists, paths, forms,
 * cookies, times, ids of events, hosts, ways to go, codings; bodies to lines for the intake,
 * and its answers to answers of ours. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/parse.h"
#include "api/submit.h"
#include "json.h"
#include "percent.h"
#include "rec.h"
#include "web_int.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
listed(const char *s)
{
	static const char list[] = " one two https://a.example ";
	char wrapped[4096];
	size_t n = strlen(s);
	bool want = false;

	if (n > 0 && n < sizeof(wrapped) - 3 && !strchr(s, ' ')) {
		wrapped[0] = ' ';
		memcpy(wrapped + 1, s, n);
		memcpy(wrapped + 1 + n, " ", 2);
		want = strstr(list, wrapped);
	}
	must(words_have(list, " ", s, n) == want);
	must(words_have(s, " ", "one", 3) == words_have(s, " ", "one two", 3));
	must(!words_have(s, " ", "", 0) && !words_have(NULL, " ", s, n));
	if (parse_type(" application/json ", s))
		must(strncasecmp(s, "application/json", 16) == 0 && (!s[16] || strchr("; \t", s[16])));
}

static void
paths(const char *s)
{
	static const char *const routes[] = { "/jobs/{id}", "/jobs/{id}/logs", "/jobs", "/" };
	const char *part;
	size_t len;

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (parse_fits(routes[i], s, &part, &len)) {
			must(!part || (len && !memchr(part, '/', len) && part == s + strlen("/jobs/")));
			must(part || strcmp(s, routes[i]) == 0);
		}
	if (parse_our_path(s))
		must(s[0] == '/' && s[1] != '/' && s[1] != '\\');
}

static void
decoded(const char *p, size_t len)
{
	static struct buf once, again, twice;

	once.len = again.len = twice.len = 0;
	if (percent_decode(&once, p, len) < 0)
		return;
	must(once.len <= len && !memchr(once.len ? once.p : "", 0, once.len));
	percent_encode(&again, once.len ? once.p : "", once.len);
	must(percent_decode(&twice, again.len ? again.p : "", again.len) == 0 && twice.len == once.len &&
	    (!once.len || memcmp(twice.p, once.p, once.len) == 0));
}

static void
forms(const char *p, size_t size)
{
	size_t len;
	const char *v = parse_field(p, size, "token", &len);

	if (v) {
		must(v >= p + 6 && v + len <= p + size && memcmp(v - 6, "token=", 6) == 0 && !memchr(v, '&', len));
		must(v == p + 6 || v[-7] == '&');
		decoded(v, len);
	}
	decoded(p, size);
}

static void
headers(const char *s)
{
	size_t len;
	const char *v = parse_cookie(s, "sluice", &len);
	int n, k;

	if (v)
		must(v >= s + 7 && memcmp(v - 7, "sluice=", 7) == 0 && v + len <= s + strlen(s) && !memchr(v, ';', len) && !memchr(v, ' ', len));
	if (parse_time(s))
		must(strspn(s, "0123456789-:.TZ+ ") == strlen(s) && strlen(s) >= 20);
	if (parse_traceparent(s))
		must(strlen(s) == 55);
	if (parse_position(s, &n, &k))
		must(n >= 0 && k >= 0 && strspn(s, "0123456789.") == strlen(s));
	if (parse_local_host(s))
		must(strncasecmp(s, "localhost", 9) == 0 || strncmp(s, "127.", 4) == 0 || strncmp(s, "[::1]", 5) == 0);
	parse_same_origin(s, "localhost:80");
	parse_same_origin("http://localhost:80", s);
	if (web_takes_gzip(s))
		must(strcasestr(s, "gzip") || strchr(s, '*'));
}

/* A line that goes to the intake is one line, a record, of this tenant, without what is not a
 * client's to say. */
static void
bodies(const char *p, size_t size)
{
	static struct web_req r;
	static struct buf line, tenant;
	static struct rec rec;
	struct call c = { .r = &r, .tenant = "mine" };
	struct fault f = { 0 };

	if (!request_line(&c, p, size, 3, &line, &f)) {
		must(f.status >= 400 && f.code && f.detail);
		return;
	}
	tenant.len = 0;
	must(!memchr(line.p, '\n', line.len) && rec_parse(&rec, line.p, line.len) == REC_OK);
	must(rec_str(rec_get(&rec, "tenant"), &tenant) == 0 && tenant.len == 4 && memcmp(tenant.p, "mine", 4) == 0);
	must(rec_get(&rec, "job_id") && !rec_get(&rec, "refeed") && !rec_get(&rec, "supersedes") && !rec_get(&rec, "kafka"));
}

static void
answers(const char *p, size_t size)
{
	static struct buf out, location;
	struct call c = { .tenant = "mine" };
	struct json_fault f;
	unsigned status;

	out.len = 0;
	status = outcome_json(&out, &(struct asked_for){ &c, p, size }, p, size, &location);
	must(status == 202 || status == 200 || (status >= 400 && status < 600));
	must(json_check(out.p, out.len, &f) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *p;

	if (!size)
		return 0;
	p = malloc(size);               /* exactly as long: overreads show */
	memcpy(p, data + 1, size - 1);
	p[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0: listed(p); break;
	case 1: paths(p); break;
	case 2: forms(p, size - 1); break;
	case 3: headers(p); break;
	case 4: bodies(p, size - 1); break;
	default: answers(p, size - 1);
	}
	free(p);
	return 0;
}
