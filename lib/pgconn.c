/* pgconn.c - how a connection is made, and which refusals are final. */
#include "pg_int.h"

#include <string.h>

#include "mem.h"

enum { PARAMS_MAX = 16 };

struct params {
	const char *key[PARAMS_MAX], *val[PARAMS_MAX];
	int n;
};

/* The last word on a key counts; an empty one, and NULL, is none. */
static void
set(struct params *p, const char *key, const char *val)
{
	if (!val)
		return;
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

static void
set_like(struct params *p, const struct pg *like)
{
	if (!like)
		return;
	set(p, "host", PQhost(like->conn));
	set(p, "hostaddr", PQhostaddr(like->conn));
	set(p, "port", PQport(like->conn));
}

PGconn *
pg_connect(const char *conninfo, const char *name, const struct pg *like)
{
	struct params p = { .n = 0 };

	fill(&p, conninfo, name);
	set_like(&p, like);
	return PQconnectdbParams(p.key, p.val, 1);
}

/* A list with commas, from its element first on and round; NULL: there is but one. */
static const char *
turned(struct buf *b, const char *list, unsigned first)
{
	const char *rest = list;
	unsigned n = 1;

	for (const char *c = list; (c = strchr(c, ',')); c++)
		n++;
	first %= n;
	if (first == 0)
		return NULL;
	while (first--)
		rest = strchr(rest, ',') + 1;
	b->len = 0;
	buf_adds(b, rest);
	buf_addc(b, ',');
	buf_add(b, list, (size_t)(rest - list) - 1);
	return buf_str(b);
}

/* The same servers, but it begins with another one. */
static void
begin_at(struct params *p, const char *conninfo, unsigned first)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };
	static struct buf text[3];
	PQconninfoOption *o = conninfo ? PQconninfoParse(conninfo, NULL) : NULL;

	for (int i = 0; i < 3; i++)
		for (const PQconninfoOption *x = o; x && x->keyword; x++)
			if (x->val && strcmp(x->keyword, lists[i]) == 0)
				set(p, lists[i], turned(&text[i], x->val, first));
	PQconninfoFree(o);
}

PGconn *
pg_connect_begin(const char *conninfo, const char *name, unsigned first, const struct pg *like)
{
	struct params p = { .n = 0 };

	fill(&p, conninfo, name);
	if (first)
		begin_at(&p, conninfo, first);
	set_like(&p, like);
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
