#include "mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

static void *
checked(void *p, size_t n)
{
	if (!p && n) {
		errno = ENOMEM;
		die_sys_now(XTEMP, "allocate %zu bytes", n);
	}
	return p;
}

void *
mem_alloc(size_t n)
{
	return checked(malloc(n ? n : 1), n);
}

void *
mem_zalloc(size_t n)
{
	return checked(calloc(1, n ? n : 1), n);
}

void *
mem_realloc(void *p, size_t n)
{
	return checked(realloc(p, n ? n : 1), n);
}

void *
mem_array(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		die(XTEMP, "allocate %zu times %zu bytes", n, size);
	return mem_realloc(p, n * size);
}

char *
mem_dup(const char *p, size_t len)
{
	char *s = mem_alloc(len + 1);

	if (len)
		memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t want;

	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		die(XTEMP, "allocate %zu bytes", n);
	want = b->len + n;
	if (want > b->cap) {
		size_t cap = b->cap + b->cap / 2;

		if (cap < want)
			cap = want < 64 ? 64 : want;
		b->p = mem_realloc(b->p, cap);
		b->cap = cap;
	}
	return b->p ? b->p + b->len : NULL;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? b->p + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(XBUG, "format '%s'", fmt);
	if ((size_t)n >= room) {
		buf_room(b, (size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void
buf_addn(struct buf *b, int64_t n)
{
	char digits[20], *p = digits + sizeof(digits);
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		buf_addc(b, '-');
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

char *
buf_str(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return b->p;
}

void
buf_shift(struct buf *b, size_t n)
{
	b->len -= n;
	if (b->len)
		memmove(b->p, b->p + n, b->len);
}

void
buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}
