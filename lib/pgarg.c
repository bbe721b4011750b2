/* Parameters of pg_call in PostgreSQL's binary form. */
#include "pg.h"

#include <arpa/inet.h>
#include <string.h>

/* ndim, has-null flag, element type, length, lower bound; see array_recv. */
enum { ARRAY_HEAD = 20 };

static const uint32_t oids[] = { 16, 17, 21, 23, 20, 700, 701, 25, 2950 };
static const uint8_t widths[] = { 1, 0, 2, 4, 8, 4, 8, 0, 16 };

static void
add_be(struct buf *b, uint64_t v, int bytes)
{
	char *p = buf_room(b, (size_t)bytes);

	b->len += (size_t)bytes;
	while (bytes-- > 0)
		*p++ = (char)(v >> (8 * bytes));
}

static int
next(struct pg_args *a, enum pg_type type, bool array)
{
	struct pg_arg *g = &a->a[a->n];

	if (a->n == PG_ARGS_MAX)
		return PG_ARGS_MAX - 1;
	g->type = type;
	g->array = array;
	g->nulls = g->some = g->lean = false;
	g->n = 0;
	g->b.len = 0;
	if (array) {
		buf_room(&g->b, ARRAY_HEAD);
		g->b.len = ARRAY_HEAD;
	}
	return a->n++;
}

int
pg_scalar(struct pg_args *a, enum pg_type type)
{
	return next(a, type, false);
}

int
pg_array(struct pg_args *a, enum pg_type type)
{
	return next(a, type, true);
}

void
pg_args_reset(struct pg_args *a)
{
	a->n = 0;
}

void
pg_args_lean(struct pg_args *a)
{
	for (int i = 0; i < a->n; i++)
		a->a[i].lean = true;
}

void
pg_args_free(struct pg_args *a)
{
	for (int i = 0; i < PG_ARGS_MAX; i++)
		buf_free(&a->a[i].b);
	a->n = 0;
}

static void
begin(struct pg_arg *g, size_t len)
{
	if (g->array && !g->n)          /* it may have been sent as an empty one */
		g->b.len = ARRAY_HEAD;
	g->n++;
	g->some |= len != UINT32_MAX;
	if (g->array)
		add_be(&g->b, len, 4);
}

void
pg_put(struct pg_args *a, int i, const void *p, size_t len)
{
	struct pg_arg *g = &a->a[i];
	const char *s = p, *nul = g->type == PG_TEXT && len ? memchr(s, 0, len) : NULL;
	size_t nuls = 0;

	if (!nul) {
		begin(g, len);
		buf_add(&g->b, p, len);
		return;
	}
	for (size_t k = 0; k < len; k++)
		nuls += !s[k];
	begin(g, len + 2 * nuls);
	for (; nul; nul = memchr(s, 0, len)) {
		buf_add(&g->b, s, (size_t)(nul - s));
		buf_add(&g->b, "\xEF\xBF\xBD", 3);
		len -= (size_t)(nul - s) + 1;
		s = nul + 1;
	}
	buf_add(&g->b, s, len);
}

void
pg_puts(struct pg_args *a, int i, const char *s)
{
	if (s)
		pg_put(a, i, s, strlen(s));
	else
		pg_put_null(a, i);
}

void
pg_put_i64(struct pg_args *a, int i, int64_t v)
{
	struct pg_arg *g = &a->a[i];

	begin(g, widths[g->type]);
	add_be(&g->b, (uint64_t)v, widths[g->type]);
}

void
pg_put_f64(struct pg_args *a, int i, double v)
{
	struct pg_arg *g = &a->a[i];
	float f = (float)v;
	uint64_t bits = 0;
	uint32_t half;

	begin(g, widths[g->type]);
	if (g->type == PG_FLOAT4) {
		memcpy(&half, &f, sizeof(half));
		bits = half;
	} else
		memcpy(&bits, &v, sizeof(bits));
	add_be(&g->b, bits, widths[g->type]);
}

void
pg_put_null(struct pg_args *a, int i)
{
	struct pg_arg *g = &a->a[i];

	g->nulls = true;
	begin(g, UINT32_MAX);
}

const char *
pg_arg_bytes(struct pg_arg *g)
{
	uint32_t head[5] = { htonl(1), htonl(g->nulls), htonl(oids[g->type]), htonl(g->n), htonl(1) };

	if (g->nulls && (!g->array || (g->lean && !g->some)))
		return NULL;
	if (!g->array)
		return buf_str(&g->b);
	if (!g->n)              /* an empty array has no dimension */
		head[0] = 0;
	memcpy(g->b.p, head, sizeof(head));
	if (!g->n)
		g->b.len = 12;
	return g->b.p;
}
