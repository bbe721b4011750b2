#include "collect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "ndjson.h"

enum { MINUTE = 60, SHOW_MAX = 1 << 30 };

static struct buf old;                  /* names of old blobs, each with its NUL */
static struct pg_args args = PG_ARGS_INIT;

static void
remember(void *ctx, const char *hex)
{
	(void)ctx;
	buf_add(&old, hex, SHA256_HEX);
}

/* A statement that failed for now is made again at its next turn. */
static bool
ask(struct collect *c, const char *sql, struct pg_args *a)
{
	enum pg_status st = pg_call(c->db, sql, a);

	if (st == PG_RETRY || st == PG_DATA)
		warn("blobs: %s", c->db->err);
	else if (st != PG_OK)
		die(pg_exit(st), "blobs: %s", c->db->err);
	return st == PG_OK;
}

/* Of the old ones those that the ledger does not name go, if they are still old then. */
static bool
drop_unnamed(struct collect *c, int (*drop)(struct blob *b, const char *hex, int64_t before), int64_t before, const char *what)
{
	int names, r, n = 0;

	pg_args_reset(&args);
	names = pg_array(&args, PG_TEXT);
	for (size_t i = 0; i < old.len; i += SHA256_HEX)
		pg_put(&args, names, old.p + i, SHA256_HEX - 1);
	if (!ask(c, "select h from unnest($1) h except select b from sluice.blobs_named($1) b", &args))
		return false;
	for (int i = 0; i < pg_rows(c->db); i++) {
		const char *hex = pg_bytes(c->db, i, 0, NULL);

		if (c->dry) {
			printf("%s\n", hex);
			continue;
		}
		if ((r = drop(&c->blobs, hex, before)) < 0) {
			warn("blob %s: %s", hex, blob_why());
			return false;
		}
		n += r == BLOB_DROPPED;
	}
	c->removed += (uint64_t)n;
	if (!c->dry)
		info("blobs: %s=%zu removed=%d", what, old.len / SHA256_HEX, n);
	return true;
}

static bool
failed(void)
{
	warn("blobs: %s", blob_why());
	return false;
}

bool
collect_old(struct collect *c)
{
	int64_t before = (int64_t)time(NULL);

	if (!ask(c, "select extract(epoch from sluice.keep_for('retention_blobs'))::bigint", NULL))
		return true;
	if (pg_null(c->db, 0, 0))
		return true;            /* they stay for ever */
	before -= pg_i64(c->db, 0, 0);
	old.len = 0;
	if (blob_old(&c->blobs, before, remember, NULL) < 0 || (!c->dry && blob_drop_temps(&c->blobs, before) < 0))
		return failed();
	return !old.len || drop_unnamed(c, blob_drop, before, "old");
}

bool
collect_aside(struct collect *c)
{
	old.len = 0;
	if (blob_aside(&c->blobs, (int64_t)time(NULL) - MINUTE, remember, NULL) < 0)
		return failed();
	if (!old.len)
		return true;
	/* The second comes before the names: what an attempt wrote that has ended by then is named. */
	if (!ask(c, "select sluice.blobs_before()", NULL))
		return true;
	return drop_unnamed(c, blob_forget, pg_i64(c->db, 0, 0), "aside");
}

int
collect_named(struct blob *blobs, int64_t before)
{
	char name[SHA256_HEX + 2];
	int r, gone = 0, left = 0;

	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		if (strlen(name) != SHA256_HEX - 1 || strspn(name, "0123456789abcdef") != SHA256_HEX - 1)
			die(XPERM, "no name of a blob: %s", name);
		if ((r = blob_drop(blobs, name, before)) < 0)
			die(XTEMP, "blob %s: %s", name, blob_why());
		gone += r == BLOB_DROPPED;
		left += r == BLOB_YOUNG;
	}
	if (ferror(stdin) || printf("%d %d\n", gone, left) < 0 || fflush(stdout) == EOF)
		die_sys(XTEMP, "read names, write counts");
	return 0;
}

int
collect_show(struct blob *blobs, const char *hex)
{
	static struct buf bytes;

	if (blob_get(blobs, hex, SHOW_MAX, &bytes) < 0)
		die(errno == EINVAL ? XPERM : XTEMP, "blob %s: %s", hex, blob_why());
	if (bytes.len && write_all(1, bytes.p, bytes.len) < 0)
		die_sys(XTEMP, "write stdout");
	return 0;
}
