/* wordpiecetest GOLDEN - the tokeniser against what the reference made of the
 * same texts (t/golden/make-tokens.py), and its own promises. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embed/where.h"
#include "embed/wordpiece.h"
#include "ndjson.h"
#include "rec.h"
#include "tap.h"

static struct vocab v;
static struct wp_tokens got = WP_TOKENS_INIT;
static struct buf text = BUF_INIT;

static void
tokens_of(const char *p, size_t len, size_t max)
{
	got.n = 0;
	wordpiece(&v, p, len, max, &got);
}

static bool
same_numbers(const struct rec_member *want, const char *which)
{
	struct rec a = REC_INIT;
	bool pair = strcmp(which, "offsets") == 0, same;

	same = want && rec_items(&a, want->val, want->val_len) == REC_OK && a.n == got.n * (pair ? 2 : 1);
	for (size_t i = 0; same && i < a.n; i++) {
		const struct wp_token *t = &got.t[pair ? i / 2 : i];
		uint64_t n, mine = !pair ? t->id : i % 2 ? t->end : t->start;

		same = rec_u64(&a.m[i], &n) == 0 && n == mine;
	}
	rec_free(&a);
	return same;
}

static void
golden(const char *path)
{
	struct in in = IN_INIT(0, RECORD_MAX, NULL);
	struct rec r = REC_INIT;
	const char *line;
	size_t len, n = 0, ids = 0, offsets = 0;

	if (!freopen(path, "r", stdin))
		abort();
	for (; in_rec(&in, &line, &len) == IN_REC; n++) {
		text.len = 0;
		if (rec_parse(&r, line, len) != REC_OK || rec_str(rec_get(&r, "text"), &text) < 0)
			abort();
		tokens_of(text.p, text.len, 0);
		if (same_numbers(rec_get(&r, "ids"), "ids"))
			ids++;
		else
			printf("# ids differ: line %zu: %.*s\n", n + 1, (int)len, line);
		if (same_numbers(rec_get(&r, "offsets"), "offsets"))
			offsets++;
		else
			printf("# offsets differ: line %zu: %.*s\n", n + 1, (int)len, line);
	}
	ok(n >= 200 && ids == n, "the reference's ids for %zu of %zu texts", ids, n);
	ok(n >= 200 && offsets == n, "the reference's offsets for %zu of %zu texts", offsets, n);
	rec_free(&r);
	buf_free(&in.b);
}

static bool
monotonic(size_t len)
{
	for (size_t i = 0; i < got.n; i++)
		if (got.t[i].start >= got.t[i].end || got.t[i].end > len ||
		    (i && (got.t[i].start < got.t[i - 1].start || got.t[i].end < got.t[i - 1].end)))
			return false;
	return true;
}

static void
promises(void)
{
	static const char bad[] = "ab\xff\xc3(\xe2\x82 \xed\xa0\x80x\xf8\x88\x80\x80\x80y\xc3";
	unsigned seed = 1;
	size_t all;
	bool good = true;

	tokens_of("one two three four", 18, 2);
	ok(got.n == 2 && got.t[1].end == 7, "stops when there are enough");
	tokens_of(bad, sizeof(bad) - 1, 0);
	all = got.n;
	tokens_of("ab( xy", 6, 0);
	ok(all == got.n, "bytes that are not UTF-8 are dropped");
	for (int round = 0; round < 2000; round++) {
		text.len = 0;
		for (int i = 0; i < 200; i++)
			buf_addc(&text, (char)((seed = seed * 1103515245U + 12345U) >> 16));
		tokens_of(text.p, text.len, 0);
		good = good && monotonic(text.len);
	}
	ok(good, "random bytes: offsets stay inside and never go back");
}

static void
refused(const char *content, size_t len, const char *reason)
{
	char path[] = "/tmp/wordpiecetest.XXXXXX";
	struct vocab bad;
	struct fault why;
	int fd = mkstemp(path);

	if (fd < 0 || write_all(fd, content, len) < 0)
		abort();
	close(fd);
	if (!ok(vocab_open(&bad, path, &why) < 0 && strstr(why.text, reason), "a vocabulary refused: %s", reason))
		printf("# %s\n", why.text);
	unlink(path);
}

int
main(int argc, char **argv)
{
	struct buf dir = BUF_INIT, path = BUF_INIT;
	struct fault why;

	refused("[UNK]\n[CLS]\n[SEP]\n[PAD]\nx\n", 26, "has no [MASK]");
	refused("[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]", 30, "ends inside a line");
	refused("[UNK]\n\n", 7, "line 2: 0 bytes");
	refused("[UNK]\na\xff\n", 9, "line 2: broken UTF-8");
	where_model(&dir, NULL);
	if (vocab_open(&v, where_file(&path, dir.p, "vocab.txt"), &why) < 0) {
		printf("1..%d # SKIP the rest: %s\n", tap_n, why.text);
		return 0;
	}
	golden(argv[argc - 1]);
	promises();
	vocab_close(&v);
	wp_tokens_free(&got);
	buf_free(&text);
	buf_free(&dir);
	buf_free(&path);
	return tap_end();
}
