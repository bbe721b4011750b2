/* ledgertest - the ledger programs' parts that need no database: canonical
 * form, entries, dispatch in memory, result messages. */
#include <string.h>

#include "canon.h"
#include "dispatch.h"
#include "entry.h"
#include "mem.h"
#include "rec.h"
#include "result.h"
#include "runs.h"
#include "tap.h"

static struct rec r;
static struct buf out;

static const char *
canon(const char *json)
{
	static const char *const skip[] = { "kafka", NULL };

	out.len = 0;
	if (rec_parse(&r, json, strlen(json)) != REC_OK)
		return "no record";
	canon_text(&out, &r, skip);
	return buf_str(&out);
}

static void
test_canon(void)
{
	static const struct { const char *in, *want; } c[] = {
		{ "{}", "{}" },
		{ " { \"b\" : 1.0 , \"a\" : [ 1e5 , { \"z\":null, \"y\": true } ] } ", "{\"a\":[1e5,{\"y\":true,\"z\":null}],\"b\":1.0}" },
		{ "{\"\\u0062\":\"\\u0041\\/\\n\",\"a\":\"\xc3\xa9\",\"kafka\":{\"x\":1}}", "{\"a\":\"\xc3\xa9\",\"b\":\"A/\\n\"}" },
		{ "{\"kafka\":1}", "{}" },
		{ "{\"a\":{\"kafka\":1}}", "{\"a\":{\"kafka\":1}}" },
		{ "{\"aa\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"aa\":1}" },
		{ "{\"a\":[],\"b\":{}}", "{\"a\":[],\"b\":{}}" },
	};

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++)
		ok(!strcmp(canon(c[i].in), c[i].want), "canon %s", c[i].in);
}

static void
read_entry(struct entry *q, const char *line)
{
	static const struct entry_said said = { .default_tenant = "dt" };

	entry_read(q, line, strlen(line));
	entry_columns(q, &said);
}

static void
test_entry(void)
{
	static struct entry a, b;
	const char *one = "{\"job_id\":\"a\",\"dataset\":\"s\",\"id\":\"7\",\"n\":1.0,\"kafka\":{\"cluster\":\"c\",\"topic\":\"t\","
	    "\"partition\":1,\"offset\":2,\"prev\":1,\"key\":\"k\"}}";
	const char *two = "{\"n\":1.0, \"job_id\":\"b\",\"id\":\"7\",\"dataset\":\"s\",\"priority\":\"Low\"}";

	read_entry(&a, one);
	read_entry(&b, two);
	ok(!a.reject && !b.reject, "both are jobs");
	ok(!strcmp(a.doc_key.p, "s:7") && !strcmp(a.tenant.p, "dt") && !strcmp(a.pipeline.p, "auto"), "columns");
	ok(a.prio == PRIO_MEDIUM && b.prio == PRIO_LOW, "priorities");
	ok(memcmp(a.digest, b.digest, 32) && !memcmp(a.doc, b.doc, 32), "two requests, one document");
	ok(a.has_source && a.part == 1 && a.off == 2 && a.prev == 1 && a.key.len == 1, "source");
	ok(!b.has_source, "no source");
	ok(a.text.len == strlen("{\"job_id\":\"a\",\"dataset\":\"s\",\"id\":\"7\",\"n\":1.0}"), "the request's bytes");
	/* The same source record in the form for one that ended admit. */
	one = "{\"raw\":\"AAE=\",\"kafka\":{\"cluster\":\"c\",\"topic\":\"t\",\"partition\":1,\"offset\":2},\"error\":{}}";
	two = "{\"job_id\":\"x\",\"kafka\":{\"cluster\":\"c\",\"topic\":\"t\",\"partition\":1,\"offset\":2,\"raw\":\"AAE=\"}}";
	read_entry(&a, one);
	read_entry(&b, two);
	ok(a.reject && !memcmp(a.rec_digest, b.rec_digest, 32), "a record's digest does not depend on its form");
	ok(a.original.len == 2 && !memcmp(a.original.p, "\0\1", 2), "original bytes");
	one = "{\"job_id\":\"x\",\"kafka\":{\"cluster\":\"c\"}}";
	read_entry(&a, one);
	ok(a.reject && !strcmp(a.code.p, "bad_source"), "half a source is refused");
	one = "{\"text\":\"x\"}";
	read_entry(&a, one);
	ok(a.reject && !strcmp(a.code.p, "bad_job_id"), "no job_id is refused");
}

static int64_t
next(struct dispatch *d, int64_t now)
{
	struct dispatch_job *j = dispatch_peek(d, now);
	int64_t no = j ? j->no : -1;

	if (j)
		dispatch_take(d);
	return no;
}

static void
test_dispatch(void)
{
	static struct dispatch d = DISPATCH_INIT;
	int64_t low[3] = { 100000, 100000, 100000 }, last = 0;
	bool sorted = true;

	dispatch_add(&d, 1, 2, 0, 0, 0, 0, 0, 1000000);            /* Low, new */
	dispatch_add(&d, 2, 1, 0, 0, 0, 0, 0, 1000000);            /* Medium, new */
	dispatch_add(&d, 3, 0, 0, 0, 0, 0, 0, 1000000);            /* High, new */
	dispatch_add(&d, 4, 2, 0, 0, 200000, 0, 0, 1000000);       /* Low, 200 s old */
	dispatch_add(&d, 5, 0, 0, 0, 0, 50, 0, 1000000);           /* High, due in 50 ms */
	ok(!dispatch_add(&d, 3, 0, 0, 0, 0, 0, 0, 1000000), "a known job is known");
	ok(next(&d, 1000000) == 4 && next(&d, 1000000) == 3, "aged Low before new High");
	ok(next(&d, 1000000) == 2 && next(&d, 1000050) == 5, "a timed job when it is due, by its priority");
	dispatch_low(&d, low);
	ok(low[0] == 2 && low[1] == 1 && low[2] == 0, "taken jobs hold the low mark");
	dispatch_again(&d, 3, 2, 1, 20, 1000000);
	ok(dispatch_wait(&d, 1000000, 1000) == 20, "a retry is timed");
	ok(next(&d, 1000030) == 3, "and comes again, before Low");
	dispatch_drop(&d, (uint64_t)1 << 1);
	ok(next(&d, 1000030) == -1, "a dropped slot's job is forgotten");
	/* Settled on one connection and set going again before the other one hears of it. */
	ok(!dispatch_add(&d, 3, 0, 4, 0, 0, 0, 0, 1000040), "a job in flight that is queued again is known");
	dispatch_over(&d, 3, 3, 1000040);
	ok(dispatch_peek(&d, 1000040) && dispatch_peek(&d, 1000040)->n == 4, "and not forgotten when what was before it lands");
	ok(next(&d, 1000040) == 3, "it is fed");
	dispatch_over(&d, 3, 6, 1000040);
	dispatch_add(&d, 5, 0, 4, 2, 0, 30, 0, 1000040);
	dispatch_again(&d, 5, 2, 1, 0, 1000040);
	ok(next(&d, 1000040) == -1 && dispatch_peek(&d, 1000070)->suspect == 2, "one that is queued twice goes by the later");
	ok(next(&d, 1000070) == 5, "when it is due");
	for (int64_t i = 0; i < 5000; i++)
		dispatch_add(&d, 100 + (i * 2654435761u) % 5003, 1, 0, 0, i % 977, 0, 0, 1000000);
	dispatch_drop(&d, 0xff);
	for (struct dispatch_job *j; (j = dispatch_peek(&d, 1000000)); last = j->key, dispatch_take(&d))
		sorted &= j->key >= last && (j->no & 63) > 7;
	ok(sorted && !d.ready_n[1], "thousands in order, none of the dropped slots");
	dispatch_release(&d);
}

/* The bound that ageing gives, on a clock of our own: as many High jobs come as
 * are worked off, for ever, so that without it no other would run. */
static void
test_ageing(void)
{
	enum { EACH_MS = 100 };
	static struct dispatch d = DISPATCH_INIT;
	int64_t now = 0, no = 10, done[3] = { -1, -1, -1 };

	dispatch_add(&d, 1, 2, 0, 0, 0, 0, 0, now);
	dispatch_add(&d, 2, 1, 0, 0, 0, 0, 0, now);
	for (int i = 0; i < 20; i++)            /* a backlog of 2 s */
		dispatch_add(&d, no++, 0, 0, 0, 0, 0, 0, now);
	for (; now < 300000 && (done[1] < 0 || done[2] < 0); now += EACH_MS) {
		struct dispatch_job *j = dispatch_peek(&d, now);
		int64_t took = j->no;

		if (j->prio)
			done[j->prio] = now;
		dispatch_take(&d);
		dispatch_forget(&d, took);
		dispatch_add(&d, no++, 0, 0, 0, 0, 0, 0, now + EACH_MS);
	}
	/* The penalty, and the backlog at its end. */
	ok(done[1] >= 30000 && done[1] <= 30000 + 2100, "Medium runs after 30 s of endless High: %lld ms", (long long)done[1]);
	ok(done[2] >= 120000 && done[2] <= 120000 + 2200, "Low after 120 s: %lld ms", (long long)done[2]);
	dispatch_release(&d);
}

static void
test_lanes(void)
{
	static struct dispatch d = DISPATCH_INIT;
	struct lane *l;
	int64_t seen = 0;

	for (int64_t i = 1; i <= 1000; i++)
		dispatch_add(&d, i, 1, 0, 0, 2000 - i, 0, 7, 1000000);
	dispatch_add(&d, 2000, 1, 0, 0, 0, 0, 0, 1000000);
	l = lanes_find(&d.lanes, 7);
	ok(l && l->parked.n == 1000 && !d.lanes.whole, "jobs of a lane are put aside until it is known how many may run");
	ok(lanes_eager(&d.lanes, true), "which is asked at once");
	dispatch_room(&d, 7, 3);
	ok(next(&d, 1000000) == 1 && next(&d, 1000000) == 2 && next(&d, 1000000) == 3, "so many are taken, in their order");
	ok(next(&d, 1000000) == 2000 && next(&d, 1000000) == -1, "then the others go on");
	ok(l->held == 3 && d.ready_n[1] == 0, "the lane holds three, and nothing of it is ready");
	lanes_find(&d.lanes, 7)->told = 3;
	dispatch_forget(&d, 2);
	ok(l->held == 2 && lanes_eager(&d.lanes, true) && next(&d, 1000000) == -1, "what ends is told, the ledger gives the place");
	dispatch_room(&d, 7, 1);
	dispatch_again(&d, 3, 2, -1, 0, 1000000);
	while (next(&d, 1000000) > 0)
		seen++;
	ok(seen == 1 && l->held == 2, "one place is one job, whoever comes back");
	dispatch_room(&d, 7, 5);
	dispatch_room(&d, 7, 0);
	ok(next(&d, 1000000) == -1 && l->loose == 0, "room that is gone again is not used");
	dispatch_limits(&d, 9);
	ok(d.known.n == 3 && l->held == 2 && d.lanes.whole->id == 9, "new limits: all but those in flight are read again");
	dispatch_add(&d, 3000, 0, 0, 0, 0, 0, 0, 1000000);
	ok(next(&d, 1000000) == -1, "a pipeline without room feeds nothing");
	dispatch_room(&d, 9, 1);
	ok(next(&d, 1000000) == 3000 && d.lanes.whole->held == 1, "and with it one");
	dispatch_counts(&d, 3000, 7, 9);
	ok(l->held == 3, "a limit that came meanwhile counts it");
	dispatch_release(&d);
}

static void
test_result(void)
{
	static struct buf request = BUF_INIT;
	static struct result_verdict v;
	const struct result_job j = { "t", "a", "d", "p", "High", 1, 2, NULL };
	const struct result_job open = { "t", "a", "d", "p", "High", 1, 2, "{\"g\":\"open\"}" };
	static const struct { const char *line, *verb; uint64_t ms; } waits[] = {
		{ "{\"wait\":{\"gate\":\"g\",\"timeout_s\":5}}", "waiting", 5000 },
		{ "{\"wait\":{\"gate\":\"g\"}}", "waiting", 900000 },
		{ "{\"wait\":{\"gate\":\"g\",\"timeout_s\":0}}", "error", 0 },
		{ "{\"wait\":{\"gate\":\"\"}}", "error", 0 },
		{ "{\"wait\":{\"gate\":7}}", "error", 0 },
		{ "{\"wait\":true}", "error", 0 },
	};
	const char *back = "{\"n\":1,\"job_id\":\"a\",\"attempt\":2,\"x\":{\"y\":1.50},\"text\":\"changed\",\"content\":\"c\","
	    "\"chunks\":{\"n\":1,\"items\":[1]},\"error\":{\"retry\":true,\"after_ms\":5,\"message\":\"\\u0000\"}}";

	buf_adds(&request, "{\"job_id\":\"a\",\"n\":1.0,\"text\":\"x\"}");
	rec_parse(&r, back, strlen(back));
	out.len = 0;
	result_keep(&out, &request, &r);
	ok(!strcmp(buf_str(&out), "{\"job_id\":\"a\",\"n\":1.0,\"text\":\"x\",\"x\":{\"y\":1.50},\"content\":\"c\",\"chunks\":{\"n\":1,\"items\":[1]}}"),
	    "the working line has the request's members from the ledger");
	out.len = 0;
	result_message(&out, &j, "completed", NULL, &request, &r);
	ok(strstr(buf_str(&out), "\"result\":{\"x\":{\"y\":1.50},\"chunks\":{\"n\":1}}") != NULL, "the result: %s", out.p);
	result_verdict(&v, &r);
	ok(!strcmp(v.verb, "error") && v.retry && v.after_ms == 5, "verdict");
	ok(strstr(buf_str(&v.error), "\\ufffd") != NULL, "no NUL for PostgreSQL");
	out.len = 0;
	result_feed_line(&out, back, strlen(back), &j);
	ok(!strstr(buf_str(&out), "error") && !strstr(out.p, "gates") && strstr(out.p, "\"attempt\":2") && strstr(out.p, "\"priority\":\"High\""),
	    "the line to feed has the envelope and no error");
	out.len = 0;
	result_feed_line(&out, back, strlen(back), &open);
	ok(strstr(buf_str(&out), "\"gates\":{\"g\":\"open\"}") != NULL, "and the gates that were opened");
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		rec_parse(&r, waits[i].line, strlen(waits[i].line));
		result_verdict(&v, &r);
		ok(!strcmp(v.verb, waits[i].verb) && v.after_ms == waits[i].ms && !v.retry, "%s", waits[i].line);
	}
}

/* A record may have a million members, and a stage may add a thousand. */
static void
test_many_members(void)
{
	static struct buf request = BUF_INIT, answer = BUF_INIT;
	const struct result_job j = { "t", "a", "d", "p", "High", 1, 2, NULL };

	buf_adds(&request, "{\"job_id\":\"a\"");
	for (int i = 0; i < 200000; i++)
		buf_addf(&request, ",\"k%d\":0", i);
	buf_add(&answer, request.p, request.len);
	for (int i = 0; i < 1000; i++)
		buf_addf(&answer, ",\"new%d\":0", i);
	buf_adds(&answer, ",\"\\u0000\":1,\"z\":2}");
	buf_addc(&request, '}');
	rec_parse(&r, answer.p, answer.len);
	out.len = 0;
	result_keep(&out, &request, &r);
	ok(out.len == answer.len && !memcmp(out.p, answer.p, out.len), "a thousand new members are kept");
	out.len = 0;
	result_message(&out, &j, "completed", NULL, &request, &r);
	ok(strstr(buf_str(&out), "\"result\":{\"new0\":0") && !strstr(out.p, "\"k7\"") && strstr(out.p, "\"z\":2}"),
	    "and are the result");
}

/* What a request asked is not its result, however it comes back. */
static void
test_asked(void)
{
	static const struct {
		const char *request, *answer, *want;
	} c[] = {
		{ "{\"job_id\":\"j\",\"n\":1}", "{\"job_id\":\"j\",\"n\":1,\"feed\":\"f\",\"out\":2}", "{\"out\":2}}" },
		{ "{\"job_id\":\"j\",\"n\":1}", "{\"job_id\":\"j\",\"n\":12,\"out\":2}", "{\"out\":2}}" },
		{ "{\"job_id\":\"j\",\"n\":1} ", "{\"n\":1,\"job_id\":\"j\",\"out\":2}", "{\"out\":2}}" },
		{ "{\"job_id\":\"j\",\"n\":1}", "{\"job_id\":\"j\",\"n\":1}", "{}}" },
		{ "{\"job_id\":\"j\",\"o\":{\"a\":1}}", "{\"job_id\":\"j\",\"o\":{\"a\":1,\"b\":2},\"out\":2}", "{\"out\":2}}" },
		{ "{ }", "{\"out\":2}", "{\"out\":2}}" },
	};
	const struct result_job j = { "j", "t", "j", "p", "High", 1, 1, NULL };

	for (size_t i = 0; i < sizeof(c) / sizeof(*c); i++) {
		struct buf request = { (char *)c[i].request, strlen(c[i].request), 0 };
		const char *result;

		out.len = 0;
		rec_parse(&r, c[i].answer, strlen(c[i].answer));
		result_message(&out, &j, "completed", NULL, &request, &r);
		buf_addc(&out, '}');
		result = strstr(buf_str(&out), "\"result\":");
		ok(result && !strcmp(result + 9, c[i].want), "result of %s to %s", c[i].answer, c[i].request);
	}
}

static bool
fits(int64_t a, size_t an, int64_t b, size_t bn)
{
	int64_t no[100];
	size_t n = 0;

	for (size_t i = 0; i < an; i++)
		no[n++] = a + (int64_t)i;
	for (size_t i = 0; i < bn; i++)
		no[n++] = b + (int64_t)i;
	return runs_fit(no, n);
}

static void
test_runs(void)
{
	ok(!fits(1, 0, 0, 0), "none are no run");
	ok(fits(1, 16, 0, 0) && !fits(1, 15, 0, 0), "sixteen are one");
	ok(fits(1, 16, 20, 16) && !fits(1, 16, 20, 15) && !fits(1, 15, 20, 16), "each of two");
	ok(fits(1008, 32, 0, 0) && !fits(1009, 32, 0, 0), "each side of a block's edge");
	ok(fits(20, 16, 1, 16), "in any order");
}

int
main(void)
{
	test_asked();
	test_runs();
	test_canon();
	test_entry();
	test_dispatch();
	test_ageing();
	test_lanes();
	test_result();
	test_many_members();
	return tap_end();
}
