/* fetchtest - what the client for many requests decides without a network: rates, how long
 * answers are good, secrets in files, the shelf of the cache. Needs an empty folder to write in: argv[1]. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch_int.h"
#include "fetch_shelf.h"
#include "ndjson.h"
#include "now.h"
#include "tap.h"

static void
joins(void)
{
	static const struct { const char *base, *url, *want; } t[] = {
		{ "https://a.org/x/y?z", "b.pdf", "https://a.org/x/b.pdf" },
		{ "https://a.org/x/y", "../b.pdf#page=2", "https://a.org/b.pdf" },
		{ "https://a.org/x/y", "//c.org/b", "https://c.org/b" },
		{ "http://a.org:81/x", "/b c?d=e f", "http://a.org:81/b%20c?d=e+f" },
		{ "http://a.org/", "https://c.org/\xc3\xa4", "https://c.org/%c3%a4" },
		{ "http://a.org/", "ftp://c.org/b", NULL },
		{ "http://a.org/", "javascript:x", NULL },
		{ "http://a.org/", "file:///etc/passwd", NULL },
		{ "", "b.pdf", NULL },
	};
	char whole[HTTP_URL_MAX], url[HTTP_URL_MAX + 8];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int r = http_join(t[i].base, t[i].url, whole);

		ok((r == 0) == !!t[i].want && (r < 0 || strcmp(whole, t[i].want) == 0), "%s in a page at %s: %s", t[i].url, t[i].base, r ? "none" : whole);
	}
	memset(url, 'x', sizeof url - 1);
	url[sizeof url - 1] = 0;
	ok(http_join("http://a.org/", url, whole) < 0, "one that is too long");
}

static void
rates(void)
{
	static const struct { const char *list, *origin; long gap; } t[] = {
		{ "5", "http://a:80", 200000 },
		{ "0", "http://a:80", 0 },
		{ "2.5", "http://a:80", 400000 },
		{ "5 a=10", "https://a:443", 100000 },
		{ "5 a=10", "http://aa:80", 200000 },
		{ "a:81=0 5", "http://a:80", 200000 },
		{ "5 a=10 a:81=0", "http://a:81", 0 },
		{ "5 [::1]=4", "http://[::1]:80", 250000 },
		{ "5  A=10 ", "http://a:80", 100000 },
	};
	static const char *const bad[] = { "x", "-1", "5x", "a=", "a=x", "5 b", "1e9", "1e-300", "5,6" };
	struct fetch_hosts h;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int r = fetch_hosts_init(&h, t[i].list, 0, 0);

		ok(r == 0 && fetch_host_of(&h, t[i].origin)->gap_us == t[i].gap, "rate '%s' for %s", t[i].list, t[i].origin);
		fetch_hosts_free(&h);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ok(fetch_hosts_init(&h, bad[i], 0, 0) < 0, "no rate: '%s'", bad[i]);
		fetch_hosts_free(&h);
	}
}

static void
freshness(void)
{
	static const struct { const char *control, *expires; long until, age_s; } t[] = {
		{ "max-age=60", "", 1060, 0 },
		{ "max-age=60", "", 1020, 40 },
		{ "max-age=60", "", 0, 60 },
		{ "max-age=60", "", 1060, -9 },
		{ "", "Thu, 01 Jan 1970 00:20:00 GMT", 1200, 40 },
		{ "private, Max-Age=60, must-revalidate", "", 1060, 0 },
		{ "max-age=\"60\"", "", 1060, 0 },
		{ "max-age=60, no-store", "", -1, 0 },
		{ "max-age=60,no-cache", "", 0, 0 },
		{ "x-max-age=60", "", 0, 0 },
		{ "max-age=-5", "", 0, 0 },
		{ "max-age=99999999999999999999", "", 1000 + 30 * 24 * 3600, 0 },
		{ "", "Thu, 01 Jan 1970 00:20:00 GMT", 1200, 0 },
		{ "max-age=0", "Thu, 01 Jan 1970 00:20:00 GMT", 0, 0 },
		{ "", "0", 0, 0 },
		{ "", "", 0, 0 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(fetch_cache_until(t[i].control, t[i].expires, t[i].age_s, 1000) == t[i].until, "fresh: '%s' '%s' %ld", t[i].control, t[i].expires, t[i].age_s);
}

static int
secret(const char *text, struct buf *out)
{
	int fd = open("secret", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		return -2;
	close(fd);
	out->len = 0;
	return fetch_secret("secret", out);
}

static void
secrets(void)
{
	static struct buf b;

	ok(secret("abc\n", &b) == 0 && strcmp(b.p, "abc") == 0, "a secret's line feed is none of it");
	ok(secret("abc", &b) == 0 && strcmp(b.p, "abc") == 0, "without one");
	ok(secret("abc\r\nsecond\n", &b) == 0 && strcmp(b.p, "abc") == 0, "the first line");
	ok(secret("", &b) == -1 && errno == EINVAL, "an empty file");
	ok(secret("\n", &b) == -1 && errno == EINVAL, "an empty line");
	ok(secret("a b\n", &b) == -1 && errno == EINVAL, "a space");
	ok(secret("a\x80\n", &b) == -1 && errno == EINVAL, "not ASCII");
	ok(fetch_secret("nowhere", &b) == -1 && errno == ENOENT, "no file");
}

/* An answer with this status, and a time if it said one. */
static void
learn(struct fetch_hosts *h, struct fetch_host *x, long status, unsigned long after_ms)
{
	static struct http_result r;

	r.status = status;
	r.code = status == 200 ? NULL : "http_status";
	r.retry = status == 0 || status == 429 || status >= 500;
	r.after_ms = after_ms;
	fetch_host_learn(h, x, now_ms(), &r);
	ok(status == 200 || !r.retry || r.after_ms >= after_ms, "after %ld: in %lu ms", status, r.after_ms);
}

static enum fetch_may
may(struct fetch_host *x)
{
	int64_t when;

	return fetch_host_may(x, &when);
}

/* True when a request may begin within ten seconds. */
static bool
opens(struct fetch_host *x)
{
	for (int i = 0; i < 10000; i++) {
		if (may(x) == FETCH_MAY)
			return true;
		usleep(1000);
	}
	return false;
}

static void
breaker(void)
{
	static struct http_result r;
	struct fetch_hosts h;
	struct fetch_host *x;

	fetch_hosts_init(&h, "0", 3, 20);
	x = fetch_host_of(&h, "http://a:80");
	learn(&h, x, 503, 0);
	learn(&h, x, 404, 0);
	learn(&h, x, 500, 0);
	learn(&h, x, 0, 0);
	ok(may(x) == FETCH_MAY, "two failures in a row: it is asked");
	learn(&h, x, 503, 0);
	ok(may(x) == FETCH_CLOSED, "three: it rests");
	fetch_host_put_off(&h, x, now_ms(), &r);
	ok(strcmp(r.code, "host_resting") == 0 && r.retry && r.after_ms, "and says so");
	ok(opens(x), "then it is tried");
	ok(may(x) == FETCH_HELD, "by one request, which the others wait for");
	learn(&h, x, 503, 0);
	ok(may(x) == FETCH_CLOSED, "which fails: it rests again");
	ok(opens(x), "it is tried again");
	learn(&h, x, 200, 0);
	ok(may(x) == FETCH_MAY && may(x) == FETCH_MAY, "and is there");
	learn(&h, x, 429, 60000);
	ok(may(x) == FETCH_CLOSED, "it says when to come back: closed");
	fetch_host_put_off(&h, x, now_ms(), &r);
	ok(strcmp(r.code, "rate_limited") == 0 && r.after_ms > 50000 && r.after_ms < 62000, "until then");
	fetch_hosts_free(&h);

	fetch_hosts_init(&h, "10", 3, 20);
	x = fetch_host_of(&h, "http://a:80");
	learn(&h, x, 429, 60000);
	for (int i = 0; i < 50; i++)
		fetch_host_put_off(&h, x, now_ms(), &r);
	ok(r.after_ms >= 60000 - 1000 + 5000 && r.after_ms < 67000, "fifty come back one after the other at its rate: %lu", r.after_ms);
	fetch_hosts_free(&h);
}

static void
blame(void)
{
	static struct http_result r = { .code = "store_failed", .retry = true };
	struct fetch_hosts h;
	struct fetch_host *x;

	fetch_hosts_init(&h, "0", 3, 60000);
	x = fetch_host_of(&h, "http://a:80");
	for (int i = 0; i < 5; i++)
		fetch_host_learn(&h, x, now_ms(), &r);
	ok(may(x) == FETCH_MAY, "what we could not store is no fault of the host");
	for (int i = 0; i < 8; i++)
		learn(&h, x, 429, 0);
	ok(x->closed_until > now_ms() && x->closed_until < now_ms() + 2000, "eight at once are told to come later: that is once");
	learn(&h, x, 200, 0);
	x->closed_until = 0;
	learn(&h, x, 429, 0);
	x->closed_until = 0;
	learn(&h, x, 429, 0);
	ok(x->closed_until > now_ms() + 1000, "the second time it is for longer");
	fetch_hosts_free(&h);
}

static void
far_slot(void)
{
	struct fetch_hosts h;
	struct fetch_host *x;

	fetch_hosts_init(&h, "5", 0, 0);
	x = fetch_host_of(&h, "http://a:80");
	x->own_slot = now_us() + 200 * 1000000;
	ok(may(x) == FETCH_MAY, "a turn minutes away is of a machine that has started anew");
	fetch_hosts_free(&h);
}

static void
told(void *ctx, struct http_result *r)
{
	(void)r;
	++*(int *)ctx;
}

/* Thousands of hosts come while one request waits for its time. */
static void
many_hosts(void)
{
	static const struct fetch_opts o = { .rate = "0", .allow = "127.0.0.1" };
	struct fetch *f = fetch_open(&o);
	int answers = 0;
	struct fetch_request q = { .url = "http://127.0.0.1:1/", .wait_ms = 100, .done = told, .ctx = &answers };
	char origin[64];

	fetch_start(f, &q);
	fetch_host_of(&f->hosts, "http://127.0.0.1:1")->busy = 77;
	for (int i = 0; i < 5000; i++) {
		snprintf(origin, sizeof origin, "http://h%d:80", i);
		fetch_host_of(&f->hosts, origin);
	}
	ok(fetch_host_of(&f->hosts, "http://127.0.0.1:1")->busy == 77, "the host of a request that waits is not forgotten");
	ok(f->hosts.n <= 4097, "others are: %zu", f->hosts.n);
	while (fetch_work(f))
		fetch_wait(f, -1);
	ok(answers == 1, "it is answered");
	fetch_free(f);
}

/* A server that never answers, and we look after its time only: we may have been held up. */
static void
held_up(void)
{
	static const struct fetch_opts o = { .rate = "0", .allow = "127.0.0.1", .total_ms = 300 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	struct fetch *f = fetch_open(&o);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), answers = 0;
	char url[64];
	struct fetch_request q = { .url = url, .done = told, .ctx = &answers };
	struct fetch_host *x;

	if (s < 0 || bind(s, (struct sockaddr *)&at, len) < 0 || listen(s, 5) < 0 || getsockname(s, (struct sockaddr *)&at, &len) < 0)
		return;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
	x = fetch_host_of(&f->hosts, url);
	for (int i = 0; i < 2; i++) {
		fetch_start(f, &q);
		fetch_work(f);
		if (i == 0)
			usleep(1500 * 1000);
		while (fetch_work(f))
			fetch_wait(f, -1);
		ok(answers == i + 1 && x->failures == (unsigned)i, i ? "the next time it is" : "that we were held up is no failure of the host");
	}
	fetch_free(f);
	close(s);
}

/* Three files of 100 bytes in one folder, the second the oldest. */
static void
shelf(int dir)
{
	static const char *const names[] = { "ab1", "ab2", "ab3" };
	struct timespec at[2] = { { 1000, 0 }, { 1000, 0 } };
	static struct buf b, got;

	for (int i = 0; i < 100; i++)
		buf_addc(&b, 'x');
	for (int i = 0; i < 3; i++)
		ok(shelf_put(dir, names[i], &b) == 0, "put %s", names[i]);
	utimensat(dir, "ab/2", at, 0);
	ok(shelf_get(dir, "ab1", 100, &got) == 0 && got.len == 100, "get");
	got.len = 0;
	ok(shelf_get(dir, "ab1", 99, &got) < 0 && errno == EFBIG, "too large a file");
	ok(shelf_sweep(dir, "ab1", 300) == 0 && faccessat(dir, "ab/2", F_OK, 0) == 0, "all may stay");
	ok(shelf_sweep(dir, "ab1", 299) == 0 && faccessat(dir, "ab/2", F_OK, 0) < 0, "the oldest goes");
	ok(faccessat(dir, "ab/1", F_OK, 0) == 0 && faccessat(dir, "ab/3", F_OK, 0) == 0, "the others stay");
	close(openat(dir, "ab/tmp.1", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(openat(dir, "ab/tmp.2", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	utimensat(dir, "ab/tmp.1", at, 0);
	ok(shelf_sweep(dir, "ab1", 1000) == 0 && faccessat(dir, "ab/tmp.1", F_OK, 0) < 0, "what a dead writer left goes");
	ok(faccessat(dir, "ab/tmp.2", F_OK, 0) == 0, "what is being written stays");
	ok(shelf_drop(dir, "ab1") == 0 && faccessat(dir, "ab/1", F_OK, 0) < 0 && shelf_drop(dir, "ab1") == 0, "dropped, twice");
}

/* Many processes that keep one answer each. */
static void
short_lives(void)
{
	static struct http_result r = { .status = 200 };
	static struct http_transfer t = { .control = "max-age=60", .r = &r };
	struct fetch_cache c = FETCH_CACHE_INIT;
	char name[SHA256_HEX] = "ab", last[16] = "";
	unsigned left = 0;

	buf_adds(&r.body, "an answer");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name + 2, sizeof name - 2, "%u", i);
		if (fetch_cache_open(&c, "cache", 256 * 1000) < 0 || fetch_cache_put(&c, name, &t, 1000) != 1)
			break;
		fetch_cache_close(&c);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(last, sizeof last, "cache/ab/%u", i);
		left += access(last, F_OK) == 0;
	}
	ok(left && left < 500, "the folder is swept: %u of 1000 are left", left);
}

int
main(int argc, char **argv)
{
	int dir;

	if (argc != 2 || chdir(argv[1]) < 0 || (dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 100;
	joins();
	rates();
	freshness();
	secrets();
	breaker();
	blame();
	far_slot();
	many_hosts();
	held_up();
	shelf(dir);
	short_lives();
	return tap_end();
}
