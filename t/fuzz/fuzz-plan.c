/* fuzz-plan - any valid UTF-8 cut into chunks, with a small vocabulary: each
 * chunk advances, is on UTF-8 borders, has the tokens that it says and no more
 * than allowed; what is between chunks has no token. The first two bytes are the settings. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "text/charset.h"
#include "text/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct vocab *
vocabulary(void)
{
	static const char words[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nab\n##a\n##b\nthe\n##e\n.\n,\n!\n[\n]\n"
	    "\xe6\xbc\xa2\n\xe3\x80\x82\n\xe1\x84\x92\n##\xe1\x85\xa1\n##\xe1\x86\xab\n1\n##1\n";
	static struct vocab v = VOCAB_INIT;
	static struct fault f;
	char path[64];
	int fd;

	if (v.n)
		return &v;
	fd = proc_memfd("vocab", words, sizeof words - 1);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (vocab_open(&v, path, &f) < 0)
		abort();
	return &v;
}

static size_t
tokens(const struct vocab *v, const char *p, size_t len)
{
	static struct wp_tokens t = WP_TOKENS_INIT;

	t.n = 0;
	wordpiece(v, p, len, 0, &t);
	return t.n;
}

static int
border(const char *p, size_t len, size_t at)
{
	return at == len || ((unsigned char)p[at] & 0xC0) != 0x80;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan plan = PLAN_INIT;
	const struct vocab *v = vocabulary();
	unsigned limit, overlap;
	size_t len, done = 0;
	char *p;

	if (size < 2 || !charset_utf8((const char *)data + 2, size - 2))
		return 0;
	limit = 62 + data[0] % 40;
	overlap = limit * (data[1] % 51) / 100;
	len = size - 2;
	p = malloc(len ? len : 1);      /* exactly as long: overreads show */
	memcpy(p, data + 2, len);
	if (plan_text(v, p, len, limit, overlap, &plan) < 0)
		abort();
	if ((plan.n == 0) != (tokens(v, p, len) == 0))
		abort();
	for (size_t i = 0; i < plan.n; i++) {
		const struct plan_chunk *c = &plan.c[i];

		if (c->start >= c->end || c->end > len || c->end <= done || !border(p, len, c->start) || !border(p, len, c->end))
			abort();
		if (i && c->start <= c[-1].start)
			abort();
		if (c->tokens > limit || c->tokens != tokens(v, p + c->start, c->end - c->start))
			abort();
		if (c->start > done && tokens(v, p + done, c->start - done))
			abort();
		done = c->end;
	}
	if (tokens(v, p + done, len - done))
		abort();
	free(p);
	return 0;
}
