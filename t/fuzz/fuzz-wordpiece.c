/* fuzz-wordpiece - the first byte even: the rest is a text for a small
 * vocabulary; odd: a vocabulary, then a NUL, then a text for it. Tokens lie
 * inside the text on code point borders, never go back, and a limit gives a
 * beginning of what no limit gives. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embed/wordpiece.h"
#include "json.h"
#include "ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char small[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nab\nabc\n##a\n##b\n##c\n##bc\n##abc\n"
    "\xc3\x9f\n##\xc3\x9f\n\xe6\x97\xa5\n\xe1\x84\x92\n##\xe1\x85\xa1\n.\n[\n]\n##\n#\n";

/* Valid UTF-8 throughout: then borders are bytes that do not continue one. */
static int
is_utf8(const char *p, size_t len)
{
	for (const char *end = p + len; p < end; ) {
		size_t n = utf8_len(p, end);

		if (!n)
			return 0;
		p += n;
	}
	return 1;
}

static int
border(const char *p, size_t len, size_t at)
{
	return at == len || ((unsigned char)p[at] & 0xc0) != 0x80;
}

static void
check(const struct vocab *v, const char *p, size_t len)
{
	static struct wp_tokens all, few;
	int utf8 = is_utf8(p, len);

	all.n = few.n = 0;
	if (wordpiece(v, p, len, 0, &all) < 0 || wordpiece(v, p, len, 3, &few) < 0)
		abort();
	for (size_t i = 0; i < all.n; i++) {
		const struct wp_token *t = &all.t[i];

		if (t->id >= v->n || t->start >= t->end || t->end > len)
			abort();
		if (i && (t->start < t[-1].start || t->end < t[-1].end))
			abort();
		if (utf8 && (!border(p, len, t->start) || !border(p, len, t->end)))
			abort();
	}
	if (few.n > all.n || few.n < (all.n < 3 ? all.n : 3))
		abort();
	if (few.n && memcmp(few.t, all.t, few.n * sizeof(*few.t)) != 0)
		abort();
}

static int
open_bytes(struct vocab *v, const void *p, size_t len)
{
	struct fault f;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC), got;

	if (fd < 0 || write_all(fd, p, len) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	got = vocab_open(v, path, &f);
	close(fd);
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocab fixed;
	struct vocab v;
	const char *p = (const char *)data + 1, *nul;

	if (!fixed.n && open_bytes(&fixed, small, sizeof(small) - 1) < 0)
		abort();
	if (!size)
		return 0;
	if (data[0] % 2 == 0) {
		check(&fixed, p, size - 1);
		return 0;
	}
	nul = memchr(p, 0, size - 1);
	if (nul && open_bytes(&v, p, (size_t)(nul - p)) == 0) {
		check(&v, nul + 1, size - 2 - (size_t)(nul - p));
		vocab_close(&v);
	}
	return 0;
}
