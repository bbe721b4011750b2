/* fuzz-unit - lines gathered to jobs and answered in any order: what comes out is
 * whole lines, each job's own line after its chunks, in the order of the own
 * lines, and no line is lost that was not dropped for its size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096, HELD = 8 };

static void
release(struct units *u)
{
	struct unit *lists[] = { u->head, u->open, u->spare };

	for (int i = 0; i < 3; i++)
		for (struct unit *one = lists[i], *next; one; one = next) {
			next = one->next;
			buf_free(&one->lines);
			buf_free(&one->key);
			buf_free(&one->job);
			free(one);
		}
	rec_free(&u->rec);
}

static size_t
count(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += p[i] == '\n';
	return n;
}

/* Answers one of those held, as it is or with an error. */
static void
answer(struct units *u, struct unit **held, size_t *n, unsigned which)
{
	size_t i = which % *n;
	struct unit *one = held[i];
	char *copy = mem_dup(one->lines.p, one->lines.len);

	if (which & 1)
		units_fail(u, one, "{\"code\":\"x\"}", 12);
	else
		units_done(u, one, copy, one->lines.len);
	free(copy);
	held[i] = held[--*n];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct units u = UNITS_INIT(MOST);
	struct unit *held[HELD], *one;
	struct buf out = BUF_INIT;
	size_t n = 0, in = 0, open = 0;
	const char *p = (const char *)data, *end = p + size;
	bool dropped = false;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;

		units_add(&u, p, (size_t)(stop - p));
		in++;
		while (n < HELD && (one = units_next(&u))) {
			dropped |= one->too_large;
			held[n++] = one;
		}
		if (n && (n == HELD || (stop - p) % 3 == 0))
			answer(&u, held, &n, (unsigned)(stop - p));
		units_out(&u, &out);
		p = lf ? lf + 1 : end;
	}
	do {
		while (n)
			answer(&u, held, &n, (unsigned)n);
		while (n < HELD && (one = units_next(&u))) {
			dropped |= one->too_large;
			held[n++] = one;
		}
	} while (n);
	units_out(&u, &out);
	for (one = u.open; one; one = one->next) {
		dropped |= one->too_large;
		open += 1 + count(one->lines.p, one->lines.len);
	}
	if (u.n || u.bytes || u.head || (out.len && out.p[out.len - 1] != '\n') ||
	    (!dropped && count(out.p, out.len) + open != in))
		abort();
	buf_free(&out);
	release(&u);
	return 0;
}
