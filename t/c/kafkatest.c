/* kafkatest - the parts of the Kafka edge that need no broker: how far a
 * partition is answered, messages as lines, lines as messages. TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "json.h"
#include "kafka-line.h"
#include "kafka-mark.h"
#include "kafka-post.h"
#include "kafka-text.h"

static int tests, bad;

static void
ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	bad += !good;
}

static void
is(const char *name, const char *want, struct buf *got)
{
	bool same = strcmp(want, buf_str(got)) == 0;

	ok(same, name);
	if (!same)
		printf("# want %s\n# got  %s\n", want, got->p);
	got->len = 0;
}

/* Random orders of answers against the plain rule: the mark is one past the
 * last delivered offset before which all is answered. */
static bool
mark_agrees(unsigned seed)
{
	enum { N = 300 };
	int64_t offset[N], at = 5, want;
	uint64_t number[N];
	bool done[N] = { false };
	struct mark m;
	bool good = true;

	srand(seed);
	mark_init(&m, at);
	for (int i = 0; i < N; i++) {
		at += rand() % 4 ? 0 : rand() % 9;
		number[i] = mark_put(&m, at);
		offset[i] = at++;
		for (int k = rand() % 3; k > 0; k--) {
			int j = rand() % (i + 1);

			done[j] = true;
			mark_done(&m, number[j]);
		}
		want = 5;
		for (int j = 0; j <= i && done[j]; j++)
			want = offset[j] + 1;
		good &= m.value == want;
	}
	mark_done(&m, UINT64_MAX);
	for (int i = 0; i < N; i++)
		mark_done(&m, number[i]);
	good &= m.value == offset[N - 1] + 1 && mark_pending(&m) == 0;
	mark_release(&m);
	return good;
}

static void
marks(void)
{
	bool good = true;

	for (unsigned seed = 1; seed <= 200; seed++)
		good &= mark_agrees(seed);
	ok(good, "the mark passes no unanswered offset, whatever the order");
}

#define AT(more) "\"kafka\":{\"cluster\":\"c\",\"topic\":\"t\",\"partition\":3,\"offset\":17,\"prev\":16,\"low\":12,\"ts\":9," more "}"

static struct kafka_line line = { .cluster = "c", .max = 1 << 20 };
static struct kafka_msg msg = {
	.topic = "t", .partition = 3, .offset = 17, .prev = 16, .low = 12, .ts_ms = 9, .key = "k", .key_len = 1
};

static void
record(const char *name, const char *val, const char *want)
{
	static struct buf out = BUF_INIT;

	msg.val = val;
	msg.val_len = val ? strlen(val) : 0;
	ok(kafka_line(&line, &msg, &out) == NULL, name);
	is("... as a line", want, &out);
}

static void
wrapped(const char *name, const char *val, size_t len, const char *code)
{
	static struct buf out = BUF_INIT, raw = BUF_INIT;
	static struct rec r = REC_INIT;
	const struct rec_member *m;
	const char *got;

	msg.val = val;
	msg.val_len = len;
	got = kafka_line(&line, &msg, &out);
	ok(got && strcmp(got, code) == 0, name);
	raw.len = 0;
	ok(rec_parse(&r, out.p, out.len) == REC_OK && rec_get(&r, "error") && rec_get(&r, "kafka"),
	    "... wrapped in a record");
	m = rec_get(&r, "raw");
	if (val)
		ok(m && m->type == '"' && b64_decode(&raw, m->val + 1, m->val_len - 2) == 0 &&
		    raw.len == len && memcmp(raw.p, val, len) == 0, "... with its bytes");
	else
		ok(m && m->type == 'n', "... with null");
	out.len = 0;
}

static void
good_lines(void)
{
	static const struct kafka_header h[] = {
		{ "a", "1", 1 }, { "a", NULL, 0 }, { "b", "\xff", 1 }
	};

	record("a record", "{\"a\":1.50 }", "{\"a\":1.50 ," AT("\"key\":\"k\"") "}");
	record("an empty object", "{}", "{" AT("\"key\":\"k\"") "}");
	record("pretty-printed", "{\r\n \"a\":\"x\\ny\"\n}\n",
	    "{   \"a\":\"x\\ny\" ," AT("\"key\":\"k\",\"raw\":\"ew0KICJhIjoieFxueSIKfQo=\"") "} ");
	msg.key = NULL;
	record("no key", "{}", "{" AT("\"key\":null") "}");
	msg.key = "\xff\x00";
	msg.key_len = 2;
	record("a key of bytes", "{}", "{" AT("\"key\":null,\"key_b64\":\"/wA=\"") "}");
	msg.key = "\"\n";
	msg.headers = h;
	msg.n_headers = 3;
	record("a key to quote, headers", "{}", "{" AT("\"key\":\"\\\"\\n\",\"headers\":"
	    "[[\"a\",\"1\"],[\"a\",null],[\"b\",{\"b64\":\"/w==\"}]]") "}");
	msg.n_headers = 0;
}

static void
bad_lines(void)
{
	wrapped("broken JSON", "{\"a\":", 5, "bad_json");
	wrapped("two values", "{} {}", 5, "bad_json");
	wrapped("broken UTF-8", "{\"a\":\"\xc3\x28\"}", 9, "bad_utf8");
	wrapped("a key twice, deep", "{\"a\":{\"b\":1,\"\\u0062\":2}}", 24, "duplicate_key");
	wrapped("an array", "[1]", 3, "not_object");
	wrapped("a LF within a string", "{\"a\":\"\n\"}", 9, "bad_json");
	wrapped("nothing", "", 0, "bad_json");
	wrapped("a tombstone", NULL, 0, "tombstone");
	wrapped("the member error", "{\"error\":1}", 11, "reserved");
	wrapped("the member feed, escaped", "{\"fe\\u0065d\":1}", 15, "reserved");
	line.plain = true;
	msg.key = NULL;
	record("for people, error passes", "{\"error\":1}", "{\"error\":1," AT("\"key\":null") "}");
	wrapped("for people, kafka does not", "{\"kafka\":1}", 11, "reserved");
	line.plain = false;
}

static int
keep(void *ctx, const void *p, size_t len, char hex[65])
{
	sha256_hex(p, len, hex);
	*(size_t *)ctx = len;
	return 0;
}

static void
sizes(void)
{
	static char big[200000], key[200000];
	static struct buf out = BUF_INIT;
	size_t kept = 0;

	memset(big, ' ', sizeof(big));
	memset(key, 'k', sizeof(key));
	big[0] = '{';
	big[1] = '}';
	line.max = 150000;
	msg.val = big;
	msg.val_len = sizeof(big);
	ok(strcmp(kafka_line(&line, &msg, &out), "too_large") == 0 && out.len < line.max,
	    "far too large: the line is not");
	ok(strstr(buf_str(&out), "\"length\":200000,\"kept\":false}") != NULL, "... and names what is missing");
	line.keep = keep;
	line.ctx = &kept;
	out.len = 0;
	kafka_line(&line, &msg, &out);
	ok(kept == sizeof(big) && strstr(buf_str(&out), "\"kept\":true}"), "... or where it is kept");
	msg.val_len = 2;
	msg.key = key;
	msg.key_len = sizeof(key);
	out.len = 0;
	ok(strcmp(kafka_line(&line, &msg, &out), "too_large") == 0 && out.len < line.max,
	    "a key that is too large");
	msg.key_len = 140000;
	msg.val_len = 100000;
	out.len = 0;
	ok(strcmp(kafka_line(&line, &msg, &out), "too_large") == 0 && out.len < line.max,
	    "both together");
	big[5] = '\n';
	msg.key_len = 1;
	msg.val_len = 120000;
	out.len = 0;
	ok(kafka_line(&line, &msg, &out) == NULL && out.len < line.max &&
	    strstr(buf_str(&out), "raw_blob"), "a large pretty one: its original as a blob");
	buf_free(&out);
}

static void
post(const char *name, const char *text, int want)
{
	static struct kafka_post p;
	int r;

	if (rec_parse(&p.rec, text, strlen(text)) != REC_OK)
		ok(0, "a bad test");
	r = kafka_post(&p, &p.rec);
	ok(r == want && (r == 0 || p.why[0]), name);
	if (r != want)
		printf("# %d: %s\n", r, p.why);
}

#define OB "\"outbox\":{\"ledger\":\"l\",\"epoch\":1,\"stream\":\"s\",\"seq\":7"

static void
posts(void)
{
	post("a message", "{\"topic\":\"t\",\"value\":{}}", 0);
	post("with all", "{\"topic\":\"t\",\"key\":\"k\",\"headers\":{\"a\":\"\\u0000\",\"b\":null},\"value\":1," OB "}}", 0);
	post("a tombstone", "{\"topic\":\"t\",\"key\":null,\"headers\":null,\"value\":null}", 0);
	post("no topic", "{\"value\":1}", -1);
	post("a topic with NUL", "{\"topic\":\"a\\u0000\",\"value\":1}", -1);
	post("a topic with a slash", "{\"topic\":\"a/b\",\"value\":1}", -1);
	post("topic ..", "{\"topic\":\"..\",\"value\":1}", -1);
	post("no value", "{\"topic\":\"t\"}", -1);
	post("a key that is a number", "{\"topic\":\"t\",\"key\":1,\"value\":1}", -1);
	post("headers in a list", "{\"topic\":\"t\",\"headers\":[[\"a\",\"x\"],[\"a\",null],[{\"b64\":\"/w==\"},{\"b64\":\"\"}]],\"value\":1}", 0);
	post("headers that are a string", "{\"topic\":\"t\",\"headers\":\"a\",\"value\":1}", -1);
	post("a header without a value", "{\"topic\":\"t\",\"headers\":[[\"a\"]],\"value\":1}", -1);
	post("a header without a name", "{\"topic\":\"t\",\"headers\":[[null,\"a\"]],\"value\":1}", -1);
	post("a header of bad base64", "{\"topic\":\"t\",\"headers\":[[\"a\",{\"b64\":\"/\"}]],\"value\":1}", -1);
	post("a name with NUL", "{\"topic\":\"t\",\"headers\":{\"a\\u0000\":\"x\"},\"value\":1}", -1);
	post("text", "{\"topic\":\"t\",\"text\":\"x\"}", 0);
	post("bytes", "{\"topic\":\"t\",\"key_b64\":\"\\/w==\",\"b64\":\"\",\"partition\":3,\"ts\":null}", 0);
	post("bad bytes", "{\"topic\":\"t\",\"b64\":\"x\"}", -1);
	post("a partition below 0", "{\"topic\":\"t\",\"partition\":-1,\"value\":1}", -1);
	post("a fallback that is no topic", "{\"topic\":\"t\",\"fallback\":\"a/b\",\"value\":1}", -1);
	post("a header that is a number", "{\"topic\":\"t\",\"headers\":{\"a\":1},\"value\":1}", -1);
	post("no value, but an outbox", "{\"topic\":\"t\"," OB "}}", -1);
	post("an outbox without seq", "{\"topic\":\"t\",\"value\":1,\"outbox\":{\"ledger\":\"l\",\"epoch\":1,\"stream\":\"s\"}}", -2);
	post("an outbox with a bad prev", "{\"topic\":\"t\",\"value\":1," OB ",\"prev\":-1}}", -2);
}

static bool
same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return !a == !b && a_len == b_len && (!a || memcmp(a, b, a_len) == 0);
}

static bool
same_msg(const struct kafka_msg *a, const struct kafka_msg *b)
{
	bool good = strcmp(a->topic, b->topic) == 0 && a->partition == b->partition &&
	    a->ts_ms == b->ts_ms && a->n_headers == b->n_headers &&
	    same_bytes(a->key, a->key_len, b->key, b->key_len) &&
	    same_bytes(a->val, a->val_len, b->val, b->val_len);

	for (size_t i = 0; good && i < a->n_headers; i++)
		good = strcmp(a->headers[i].name, b->headers[i].name) == 0 &&
		    same_bytes(a->headers[i].val, a->headers[i].len, b->headers[i].val, b->headers[i].len);
	return good;
}

/* Captured and read back, a message is itself: any bytes, null and empty. */
static void
envelopes(void)
{
	static const char *const bytes[] = { NULL, "", "k", "\xff\x00\x01", "a\"\n\0b", "\xc3\xa9", "\1\2\3" };
	static const size_t len[] = { 0, 0, 1, 3, 5, 2, 3 };
	enum { N = sizeof(len) / sizeof(len[0]) };
	static struct kafka_header h[3] = { { "a", NULL, 0 }, { "a", "", 0 }, { "\xff", NULL, 0 } };
	static struct kafka_post p;
	static struct buf out = BUF_INIT;
	struct kafka_msg m = { .topic = "t", .headers = h };
	size_t bad_ones = 0;

	for (size_t i = 0; i < N * N * 4; i++) {
		m.key = bytes[i % N], m.key_len = len[i % N];
		m.val = bytes[i / N % N], m.val_len = len[i / N % N];
		h[2].val = m.val, h[2].len = m.val_len;
		m.n_headers = i / N / N;
		m.partition = (int32_t)i;
		m.ts_ms = i % 3 ? 1700000000000 + (int64_t)i : -1;
		out.len = 0;
		kafka_text_envelope(&out, &m);
		bad_ones += rec_parse(&p.rec, out.p, out.len) != REC_OK || kafka_post(&p, &p.rec) != 0 ||
		    !same_msg(&m, &p.msg);
	}
	ok(bad_ones == 0, "a captured message reads back as itself");
}

int
main(void)
{
	err_init("kafkatest");
	envelopes();
	marks();
	good_lines();
	bad_lines();
	sizes();
	posts();
	printf("1..%d\n", tests);
	return bad != 0;
}
