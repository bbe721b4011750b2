/* pgconn.c - how a connection is made, and which refusals are final. */
#include "pg_int.h"

#include <string.h>

enum { PARAMS_MAX = 16 };

struct params {
	const char *key[PARAMS_MAX], *val[PARAMS_MAX];
	int n;
};

/* The last word on a key counts; an empty one is none. */
static void
set(struct params *p, const char *key, const char *val)
{
	p->key[p->n] = key;
	p->val[p->n++] = val;
}

static void
fill(struct params *p, const char *conninfo, const char *name)
{
	set(p, "dbname", conninfo);
	set(p, "application_name", name);
	set(p, "client_encoding", "UTF8");
	set(p, "connect_timeout", "5");
	set(p, "keepalives_idle", "2");
	set(p, "keepalives_interval", "2");
	set(p, "keepalives_count", "3");
	set(p, "tcp_user_timeout", "8000");
}

PGconn *
pg_connect(const char *conninfo, const char *name)
{
	struct params p = { .n = 0 };

	fill(&p, conninfo, name);
	return PQconnectdbParams(p.key, p.val, 1);
}

PGconn *
pg_connect_begin(const char *conninfo, const char *name, const struct pg *like)
{
	struct params p = { .n = 0 };

	fill(&p, conninfo, name);
	if (like) {
		set(&p, "host", PQhost(like->conn));
		set(&p, "hostaddr", PQhostaddr(like->conn));
		set(&p, "port", PQport(like->conn));
	}
	return PQconnectStartParams(p.key, p.val, 1);
}

/* libpq has no code for it, and every other reason (it starts, it is full, its
 * disk is) may go away. */
bool
pg_refuses(const char *text)
{
	static const char *const reasons[] = { "does not exist", "authentication failed", "pg_hba.conf",
	    "not permitted to log in", "permission denied for database", NULL };

	if (!strstr(text, "FATAL"))
		return false;
	for (const char *const *r = reasons; *r; r++)
		if (strstr(text, *r))
			return true;
	return false;
}
