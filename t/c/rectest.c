/* rectest - the record scanner and splicing: tables of cases, and every line
 * against a page that may not be read. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "b64.h"
#include "json.h"
#include "rec.h"

static int n, bad;

static void
ok(int pass, const char *what, const char *detail)
{
	n++;
	bad += !pass;
	printf("%sok %d - %s: %s\n", pass ? "" : "not ", n, what, detail);
}

/* The same bytes, ending exactly where an unmapped page begins. */
static const char *
at_edge(const char *p, size_t len)
{
	static char *map;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!map) {
		map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(map + 2 * page, page, PROT_NONE);
	}
	return memcpy(map + 2 * page - len, p, len);
}

static const struct {
	const char *text;
	enum rec_status want;
} cases[] = {
	{ "{}", REC_OK }, { " { } ", REC_OK }, { "{\"a\":1}", REC_OK }, { "{\"a\" : [1 , {\"b\":null}] }", REC_OK },
	{ "{\"a\":-0.5e+10,\"b\":1E5,\"c\":0}", REC_OK }, { "{\"a\":\"\\u0000\\ud83d\\ude00\"}", REC_OK },
	{ "{\"\":1}", REC_OK }, { "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}", REC_OK },
	{ "{\"a\":{\"x\":1,\"x\":2}}", REC_OK },        /* nested duplicates are json_check's */
	{ "", REC_SYNTAX }, { "{", REC_SYNTAX }, { "}", REC_SYNTAX }, { "{\"a\"}", REC_SYNTAX },
	{ "{\"a\":}", REC_SYNTAX }, { "{\"a\":1,}", REC_SYNTAX }, { "{,}", REC_SYNTAX }, { "{\"a\":01}", REC_SYNTAX },
	{ "{\"a\":1.}", REC_SYNTAX }, { "{\"a\":.5}", REC_SYNTAX }, { "{\"a\":+1}", REC_SYNTAX }, { "{\"a\":1e}", REC_SYNTAX },
	{ "{\"a\":-}", REC_SYNTAX }, { "{\"a\":tru}", REC_SYNTAX }, { "{\"a\":nul", REC_SYNTAX }, { "{\"a\":\"\t\"}", REC_SYNTAX },
	{ "{\"a\":\"\\x\"}", REC_SYNTAX }, { "{\"a\":\"\\u12\"}", REC_SYNTAX }, { "{\"a\":\"\\", REC_SYNTAX }, { "{\"a\":\"", REC_SYNTAX },
	{ "{'a':1}", REC_SYNTAX }, { "{a:1}", REC_SYNTAX }, { "{\"a\":1} x", REC_SYNTAX }, { "{\"a\":1}{\"a\":1}", REC_SYNTAX },
	{ "{\"a\":NaN}", REC_SYNTAX }, { "{\"a\":[1,]}", REC_SYNTAX }, { "{\"a\":[1 2]}", REC_SYNTAX }, { "{\"a\":{]}", REC_SYNTAX },
	{ "\xef\xbb\xbf{}", REC_SYNTAX }, { "{\"a\":\"\xff\"}", REC_UTF8 }, { "{\"a\":\"\xc0\x80\"}", REC_UTF8 },
	{ "{\"a\":\"\xed\xa0\x80\"}", REC_UTF8 }, { "{\"a\":\"\xf4\x90\x80\x80\"}", REC_UTF8 }, { "{\"a\":\"\xe2\x82\"}", REC_UTF8 },
	{ "{\"a\":\"\xc3", REC_UTF8 }, { "{\"a\":\"\\ud800\"}", REC_SURROGATE }, { "{\"a\":\"\\udc00\\ud800\"}", REC_SURROGATE },
	{ "{\"a\":\"\\ud800\\u0041\"}", REC_SURROGATE }, { "{\"a\":1,\"a\":2}", REC_DUPLICATE },
	{ "{\"a\":1,\"\\u0061\":2}", REC_DUPLICATE }, { "{\"\\u0061b\":1,\"a\\u0062\":2}", REC_DUPLICATE },
	{ "[]", REC_NOT_OBJECT }, { "1", REC_NOT_OBJECT }, { "\"x\"", REC_NOT_OBJECT }, { "null", REC_NOT_OBJECT }, { "[1", REC_SYNTAX }, { "\"a\":1", REC_SYNTAX }, { "[] []", REC_SYNTAX },
};

static void
parse_cases(void)
{
	static struct rec r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].text);

		ok(rec_parse(&r, at_edge(cases[i].text, len), len) == cases[i].want, "parse", cases[i].text);
	}
}

static void
depth_cases(void)
{
	static struct rec r;
	static struct buf b;

	for (int d = 62; d <= 66; d++) {
		char what[32];

		b.len = 0;
		buf_adds(&b, "{\"a\":");
		for (int i = 1; i < d; i++)
			buf_addc(&b, '[');
		for (int i = 1; i < d; i++)
			buf_addc(&b, ']');
		buf_addc(&b, '}');
		snprintf(what, sizeof(what), "%d", d);
		ok((rec_parse(&r, b.p, b.len) == REC_OK) == (d <= REC_DEPTH), "depth", what);
	}
}

static const struct {
	const char *text, *del[3], *set, *val, *want;
} edits[] = {
	{ "{\"a\":1}", { 0 }, "b", "2", "{\"a\":1,\"b\":2}" },
	{ "{}", { 0 }, "b", "2", "{\"b\":2}" },
	{ " { } ", { 0 }, "b", "2", " { \"b\":2} " },
	{ "{\"a\":1 , \"b\" : 2.50 , \"c\":3}", { "b" }, NULL, NULL, "{\"a\":1  , \"c\":3}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "a" }, NULL, NULL, "{\"b\":2,\"c\":3}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "c" }, NULL, NULL, "{\"a\":1,\"b\":2}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "a", "b" }, NULL, NULL, "{\"c\":3}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "b", "a" }, NULL, NULL, "{\"c\":3}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "a", "c" }, NULL, NULL, "{\"b\":2}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "b", "c" }, NULL, NULL, "{\"a\":1}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "a", "b", "c" }, NULL, NULL, "{}" },
	{ "{\"a\":1,\"b\":2,\"c\":3}", { "a", "b", "c" }, "d", "4", "{\"d\":4}" },
	{ "{\"a\":1,\"b\":2}", { "a" }, "b", "9", "{\"b\":9}" },
	{ "{\"a\":1,\"b\":2}", { "b" }, "a", "9", "{\"a\":9}" },
	{ "{\"a\":1,\"b\":2}", { "a" }, "c", "9", "{\"b\":2,\"c\":9}" },
	{ "{\"x\\u0061\":1,\"b\":2}", { "xa" }, NULL, NULL, "{\"b\":2}" },
	{ "{\"a\":\"}\"}", { 0 }, "b", "\"}\"", "{\"a\":\"}\",\"b\":\"}\"}" },
	{ "{\"a\":1}", { "zz" }, NULL, NULL, "{\"a\":1}" },
};

static void
edit_cases(void)
{
	static struct rec r;
	static struct buf out;

	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		struct rec_change c[4];
		size_t k = 0, len = strlen(edits[i].text);

		for (int d = 0; d < 3 && edits[i].del[d]; d++)
			c[k++] = (struct rec_change){ edits[i].del[d], NULL, 0 };
		if (edits[i].set)
			c[k++] = (struct rec_change){ edits[i].set, edits[i].val, strlen(edits[i].val) };
		out.len = 0;
		rec_parse(&r, at_edge(edits[i].text, len), len);
		rec_edit(&out, &r, c, k);
		ok(strcmp(buf_str(&out), edits[i].want) == 0, "edit", out.p);
	}
}

static int
check(const char *text, struct json_fault *f)
{
	return json_check(text, strlen(text), f);
}

static void
string_cases(void)
{
	static const char raw[] = "a\0b\"\\\n\x01\xc3\xa9\xff\xf0\x9f\x98\x80";
	static struct buf q, u;
	struct json_fault f;

	json_quote(&q, raw, sizeof(raw) - 1);
	ok(strcmp(buf_str(&q), "\"a\\u0000b\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xf0\x9f\x98\x80\"") == 0, "quote", q.p);
	json_unescape(&u, "\\ud83d\\ude00\\/\\u00e9x", 21);
	ok(strcmp(buf_str(&u), "\xf0\x9f\x98\x80/\xc3\xa9x") == 0, "unescape", u.p);
	ok(check("{\"a\":{\"b\":1,\"\\u0062\":2}}", &f) < 0 && strcmp(f.code, "duplicate_key") == 0,
	    "check", "a nested duplicate");
	ok(check("{\"a\":{\"b\":1},\"b\":[{\"b\":1},{\"b\":2}]}", &f) == 0, "check", "the same key elsewhere");
	ok(check("{\"a\":\"\\ud800\"}", &f) < 0, "check", "a lone surrogate");
}

static void
b64_cases(void)
{
	static struct buf e, d;
	unsigned char raw[300] = { 0 };
	int good = 1;

	for (size_t len = 0; len < sizeof(raw); len++) {
		for (size_t i = 0; i < len; i++)
			raw[i] = (unsigned char)(i * 7 + len);
		e.len = d.len = 0;
		b64_encode(&e, raw, len);
		good &= b64_decode(&d, e.p, e.len) == 0 && d.len == len && (!len || memcmp(d.p, raw, len) == 0);
	}
	ok(good, "base64", "there and back, 0 to 299 bytes");
	d.len = 0;
	ok(b64_decode(&d, "AA=A", 4) < 0 && b64_decode(&d, "A===", 4) < 0 && b64_decode(&d, "AAA", 3) < 0 &&
	    b64_decode(&d, "AA A", 4) < 0 && b64_decode(&d, "AB==", 4) < 0 && d.len == 0, "base64", "refuses what is not");
}

int
main(void)
{
	parse_cases();
	depth_cases();
	edit_cases();
	string_cases();
	b64_cases();
	printf("1..%d\n", n);
	return bad != 0;
}
