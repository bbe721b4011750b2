#include "api/crashes.h"

#include <stdint.h>
#include <string.h>

#include "b64.h"
#include "mem.h"
#include "now.h"

enum { KNOWN = 64, TIMES = 3, FORGET_MS = 3600 * 1000 };

static struct crash {
	unsigned char digest[32];
	int64_t at;             /* the last time; 0: none */
	uint64_t admitted;      /* of others until then */
	unsigned times;
} known[KNOWN];
static uint64_t admitted;

void
crashes_admitted(void)
{
	admitted++;
}

/* The one of this request, or the one that was longest ago. */
static struct crash *
find(const unsigned char digest[32])
{
	struct crash *oldest = known;

	for (struct crash *c = known; c < known + KNOWN; c++) {
		if (c->at && memcmp(c->digest, digest, sizeof(c->digest)) == 0)
			return c;
		if (c->at < oldest->at)
			oldest = c;
	}
	memcpy(oldest->digest, digest, sizeof(oldest->digest));
	oldest->times = 0;
	return oldest;
}

bool
crashes_again(const char *tenant, const char *request, size_t len)
{
	struct buf b = BUF_INIT;
	unsigned char digest[32];
	int64_t now = now_ms();
	struct crash *c;

	sha256_raw(request, len, digest);
	buf_add(&b, digest, sizeof(digest));
	buf_adds(&b, tenant);
	sha256_raw(b.p, b.len, digest);
	buf_free(&b);
	c = find(digest);
	if (c->times && now - c->at > FORGET_MS)
		c->times = 0;
	if (!c->times || admitted > c->admitted)
		c->times++;
	c->at = now;
	c->admitted = admitted;
	return c->times >= TIMES;
}
