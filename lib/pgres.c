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

int64_t
pg_i64(const struct pg *db, int row, int col)
{
	const unsigned char *p = (const unsigned char *)PQgetvalue(db->res, row, col);
	int len = PQgetlength(db->res, row, col);
	uint64_t v = len && p[0] & 0x80 && len > 1 ? UINT64_MAX : 0;

	for (int i = 0; i < len && i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
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
