/* fuzz-fetch - any bytes as a DOI, a URL, a header that says how long an answer is good,
 * a kept answer and a list of rates. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doi.h"
#include "fetch_int.h"
#include "fetch_shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_doi(const char *p, size_t len)
{
	static struct buf one, two;

	one.len = two.len = 0;
	if (doi_normal(&one, p, len) < 0)
		return;
	if (doi_normal(&two, one.p, one.len) < 0 || one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
		abort();        /* it has one form */
	two.len = 0;
	http_escape(&two, one.p, one.len, "/:;()");
	if (strpbrk(buf_str(&two), " ?#\"<>\\\r\n") || strstr(two.p, "/../"))
		abort();
}

/* As if it lay in the cache. */
static void
check_kept(const struct buf *file)
{
	static struct fetch_cache c = FETCH_CACHE_INIT;
	static struct buf body;
	struct fetch_kept k;
	char folder[64];
	static const char name[] = "ab0000000000000000000000000000000000000000000000000000000000cdef";

	if (c.dir < 0) {
		snprintf(folder, sizeof folder, "/dev/shm/fuzz-fetch.%d", getpid());
		if (fetch_cache_open(&c, folder, 0) < 0)
			abort();
	}
	if (shelf_put(c.dir, name, file) < 0)
		abort();
	if (fetch_cache_get(&c, name, &k, SIZE_MAX, &body) > 0 && (strpbrk(k.etag, "\r\n") || strpbrk(k.modified, "\r\n")))
		abort();        /* they go into headers */
	if (shelf_sweep(c.dir, name, 0) < 0)
		abort();
}

/* A link in a page becomes a place that is printed and found again: ASCII, whole. */
static void
check_join(const char *url)
{
	char whole[HTTP_URL_MAX], again[HTTP_URL_MAX];

	if (http_join("https://example.org/a/b?c", url, whole) < 0)
		return;
	if (strncmp(whole, "http", 4) != 0 || strpbrk(whole, " #\r\n"))
		abort();
	for (const char *p = whole; *p; p++)
		if (*p < 0)
			abort();
	if (http_join(whole, whole, again) < 0 || strcmp(whole, again) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_result r;
	static struct buf s;
	struct fetch_hosts hosts;
	char origin[FETCH_ORIGIN_MAX];
	int64_t until;

	s.len = 0;
	buf_add(&s, data, size);
	buf_str(&s);
	check_doi(s.p, s.len);
	if (http_origin(s.p, origin, sizeof origin, &r) == 0 && strncmp(origin, "http", 4) != 0)
		abort();
	until = fetch_cache_until(s.p, "", 7, 1000);
	if (until < -1 || (until > 0 && until <= 1000))
		abort();
	fetch_cache_until("", s.p, 7, 1000);
	if (fetch_hosts_init(&hosts, s.p, 0, 0) == 0 && fetch_host_of(&hosts, "http://127.0.0.1:80")->gap_us < 0)
		abort();
	fetch_hosts_free(&hosts);
	check_join(s.p);
	check_kept(&s);
	return 0;
}
