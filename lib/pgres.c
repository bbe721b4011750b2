/* What pg_call returned, in PostgreSQL's binary form. */
#include "pg.h"

#include <libpq-fe.h>
#include <string.h>

int
pg_rows(const struct pg *db)
{
	return PQntuples(db->res);
}

bool
pg_null(const struct pg *db, int row, int col)
{
	return PQgetisnull(db->res, row, col);
}

static int64_t
integer(const unsigned char *p, int len)
{
	uint64_t v = len && p[0] & 0x80 && len > 1 ? UINT64_MAX : 0;

	for (int i = 0; i < len && i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

int64_t
pg_i64(const struct pg *db, int row, int col)
{
	return integer((const unsigned char *)PQgetvalue(db->res, row, col), PQgetlength(db->res, row, col));
}

double
pg_f64(const struct pg *db, int row, int col)
{
	uint64_t v = (uint64_t)pg_i64(db, row, col);
	uint32_t w = (uint32_t)v;
	double d;
	float f;

	if (PQgetlength(db->res, row, col) == 4) {
		memcpy(&f, &w, sizeof(f));
		return (double)f;
	}
	memcpy(&d, &v, sizeof(d));
	return d;
}

bool
pg_bool(const struct pg *db, int row, int col)
{
	return pg_i64(db, row, col) != 0;
}

const char *
pg_bytes(const struct pg *db, int row, int col, size_t *len)
{
	if (len)
		*len = (size_t)PQgetlength(db->res, row, col);
	return PQgetvalue(db->res, row, col);
}

/* Dimensions, flags, type; of each dimension its length and lower bound; elements: length, -1 for a null, and bytes. */
void
pg_list(const struct pg *db, int row, int col, struct pg_list *l)
{
	enum { HEAD = 20 };
	int len = PQgetlength(db->res, row, col);

	l->p = (const unsigned char *)PQgetvalue(db->res, row, col);
	l->end = l->p + len;
	l->n = len >= HEAD && integer(l->p, 4) == 1 ? (size_t)integer(l->p + 12, 4) : 0;
	l->p += l->n ? HEAD : 0;
}

const char *
pg_list_next(struct pg_list *l, size_t *len)
{
	const unsigned char *p;
	int64_t n;

	*len = 0;
	if (!l->n)
		return NULL;
	l->n--;
	if (l->end - l->p < 4)
		return NULL;
	n = integer(l->p, 4);
	p = l->p += 4;
	if (n < 0 || n > l->end - p)
		return NULL;
	l->p += n;
	*len = (size_t)n;
	return (const char *)p;
}

int64_t
pg_list_i64(struct pg_list *l)
{
	size_t len;
	const char *p = pg_list_next(l, &len);

	return p ? integer((const unsigned char *)p, (int)len) : 0;
}

void
pg_keep(struct pg *kept, struct pg *db)
{
	PQclear(kept->res);
	kept->res = db->res;
	db->res = NULL;
}
