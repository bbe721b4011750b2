#include "embed/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"

struct vocab_slot {
	const char *p;          /* NULL: free; the piece without "##" */
	uint32_t hash, id;
	uint8_t len, cont;
};

enum { VOCAB_MAX = 1 << 22 };   /* pieces; ids must fit what tokens carry */

static const char *const special[VOCAB_SPECIALS] = { "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]" };

static uint32_t
spread(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352dU;
	return h ^ h >> 15;
}

/* The slot that has the piece or the free one where it belongs. */
static struct vocab_slot *
slot_of(const struct vocab *v, const char *p, size_t len, int cont, uint32_t h)
{
	uint32_t i = spread(h) & v->slot_mask;

	for (;; i = (i + 1) & v->slot_mask) {
		struct vocab_slot *s = &v->slot[i];

		if (!s->p || (s->hash == h && s->len == len && s->cont == cont && memcmp(s->p, p, len) == 0))
			return s;
	}
}

int32_t
vocab_find(const struct vocab *v, const char *p, size_t len, int cont, uint32_t h)
{
	const struct vocab_slot *s = slot_of(v, p, len, cont, h);

	return s->p ? (int32_t)s->id : VOCAB_NONE;
}

static int32_t
find_whole(const struct vocab *v, const char *s)
{
	uint32_t h = vocab_seed(0);

	for (const char *c = s; *c; c++)
		h = vocab_step(h, *c);
	return vocab_find(v, s, strlen(s), 0, h);
}

static void
add(struct vocab *v, const char *p, size_t len, uint32_t id)
{
	int cont = len > 2 && p[0] == '#' && p[1] == '#';
	uint32_t h = vocab_seed(cont);
	struct vocab_slot *s;

	if (cont) {
		p += 2;
		len -= 2;
	}
	for (size_t i = 0; i < len; i++)
		h = vocab_step(h, p[i]);
	s = slot_of(v, p, len, cont, h);
	*s = (struct vocab_slot){ p, h, id, (uint8_t)len, (uint8_t)cont };
	if (len > v->longest)
		v->longest = len;
}

/* Length of a line's piece: some writers end lines with CR LF. */
static size_t
piece_len(const char *p, const char *nl)
{
	size_t len = (size_t)(nl - p);

	return len && p[len - 1] == '\r' ? len - 1 : len;
}

static int
check_line(const struct vocab *v, const char *path, const char *p, size_t len, struct fault *f)
{
	const char *end = p + len;

	if (len == 0 || len > VOCAB_LONGEST)
		return fault_set(f, "%s: line %zu: %zu bytes, not 1 to %d", path, v->n + 1, len, VOCAB_LONGEST);
	while (p < end) {
		size_t n = utf8_len(p, end);

		if (!n)
			return fault_set(f, "%s: line %zu: broken UTF-8", path, v->n + 1);
		p += n;
	}
	return 0;
}

static int
count_lines(struct vocab *v, const char *path, struct fault *f)
{
	const char *p = v->file.p, *end = p + v->file.len;

	if (end[-1] != '\n')
		return fault_set(f, "%s: ends inside a line", path);
	for (; p < end; v->n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (check_line(v, path, p, piece_len(p, nl), f) < 0)
			return -1;
		if (v->n == VOCAB_MAX)
			return fault_set(f, "%s: more than %d lines", path, VOCAB_MAX);
		p = nl + 1;
	}
	return 0;
}

static void
fill(struct vocab *v)
{
	const char *p = v->file.p;

	v->slot_mask = 1;
	while (v->slot_mask < 2 * v->n)
		v->slot_mask = v->slot_mask << 1 | 1;
	v->slot = mem_zalloc(((size_t)v->slot_mask + 1) * sizeof(*v->slot));
	for (uint32_t id = 0; id < v->n; id++) {
		const char *nl = memchr(p, '\n', (size_t)(v->file.p + v->file.len - p));

		add(v, p, piece_len(p, nl), id);
		p = nl + 1;
	}
}

int
vocab_open(struct vocab *v, const char *path, struct fault *f)
{
	uint32_t *const id[VOCAB_SPECIALS] = { &v->unk, &v->cls, &v->sep, &v->pad, &v->mask };

	*v = (struct vocab)VOCAB_INIT;
	if (map_open(&v->file, path, f) < 0)
		return -1;
	if (count_lines(v, path, f) < 0) {
		vocab_close(v);
		return -1;
	}
	fill(v);
	for (int i = 0; i < VOCAB_SPECIALS; i++) {
		int32_t found = find_whole(v, special[i]);

		if (found == VOCAB_NONE) {
			vocab_close(v);
			return fault_set(f, "%s: has no %s", path, special[i]);
		}
		*id[i] = (uint32_t)found;
	}
	return 0;
}

void
vocab_close(struct vocab *v)
{
	free(v->slot);
	v->slot = NULL;
	map_close(&v->file);
}

int32_t
vocab_special(const struct vocab *v, const char *p, const char *end, size_t *len)
{
	const uint32_t id[VOCAB_SPECIALS] = { v->unk, v->cls, v->sep, v->pad, v->mask };

	for (int i = 0; i < VOCAB_SPECIALS; i++) {
		size_t n = strlen(special[i]);

		if ((size_t)(end - p) >= n && memcmp(p, special[i], n) == 0) {
			*len = n;
			return (int32_t)id[i];
		}
	}
	return VOCAB_NONE;
}

const char *
vocab_piece(const struct vocab *v, uint32_t id, size_t *len)
{
	const char *p = v->file.p, *nl;

	for (;; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(v->file.p + v->file.len - p));
		if (id-- == 0)
			break;
	}
	*len = piece_len(p, nl);
	return p;
}
