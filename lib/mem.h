/* mem.h - memory that grows, and the one place that decides what happens
 * when there is none: exit 111. Third-party libraries that take an
 * allocator get these functions.
 *
 * A struct buf owns its bytes. Pointers into it are borrowed until the next
 * call that may grow it. Reuse it with len = 0; buf_free gives it back.
 * Not thread-safe per object.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *p;
	size_t len, cap;
};
#define BUF_INIT { NULL, 0, 0 }

/* These never return NULL: without memory the process exits 111. */
void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_realloc(void *p, size_t n);
/* n elements of size bytes; an overflow of the product exits 111. */
void *mem_array(void *p, size_t n, size_t size);
char *mem_dup(const char *p, size_t len);       /* NUL added */

/* Room for n more bytes after len; returns p + len. */
char *buf_room(struct buf *b, size_t n);
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n > b->cap - b->len)
		buf_room(b, n);
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
}
static inline void
buf_addc(struct buf *b, char c)
{
	if (b->len == b->cap)
		buf_room(b, 1);
	b->p[b->len++] = c;
}
/* Of a literal the compiler knows the length. */
static inline void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
void buf_addn(struct buf *b, int64_t n);        /* its decimal digits */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Terminates with a NUL that len does not count; returns p. */
char *buf_str(struct buf *b);
/* Removes the first n bytes. */
void buf_shift(struct buf *b, size_t n);
void buf_free(struct buf *b);

#endif
