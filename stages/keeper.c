/* keeper - keep the ledger in order: time-outs, parts of the history ahead and
 * away, what events missed, blobs that nothing names. See docs/keeper.1. */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "arg.h"
#include "blob.h"
#include "err.h"
#include "metrics.h"
#include "pg.h"

enum {
	CONNECT_MS = 5000, VERSION = 9,
	BEAT_MS = 1000,                 /* time-outs */
	MINUTE = 60, HOUR = 60 * 60,    /* in beats */
	BLOBS = 6 * HOUR, FIRST_BLOBS = 10 * MINUTE,
	STEPS = 100                     /* of pruning, a minute, up to 10,000 rows each */
};

static const char usage[] = "keeper [-D fd] | keeper -b [-n] | keeper -r second\n\n"
    "Keeps the ledger (SLUICE_DB) in order: each second what has timed out, each minute\n"
    "what is too old and what an event missed, now and then blobs (SLUICE_BLOBS) that\n"
    "nothing names. One keeper works, another waits.\n"
    "  -D fd  write a newline to it when ready\n"
    "  -b     only collect blobs, once\n"
    "  -n     with -b: print what would be removed\n"
    "  -r second  only remove the blobs named on standard input that are older than that\n";

static struct pg db = PG_INIT;
static struct pg_args args = PG_ARGS_INIT;
static struct blob blobs = BLOB_INIT;
static struct buf old;                  /* names of old blobs, each with its NUL */
static uint64_t *faults, *swept, *mended, *dropped, *deleted, *collected;

/* A statement that failed for now is made again at its next turn. */
static bool
fine(enum pg_status st, const char *what)
{
	if (st == PG_RETRY || st == PG_DATA)
		warn("%s: %s", what, db.err);
	else if (st != PG_OK)
		die(pg_exit(st), "%s: %s", what, db.err);
	return st == PG_OK;
}

static bool
ask(const char *sql, const char *what)
{
	return fine(pg_call(&db, sql, NULL), what);
}

/* Each answer is a row: what, n, note; a null note is for a person to look at. */
static void
sweep(const char *sql)
{
	if (!ask(sql, "sweep"))
		return;
	*faults = 0;
	for (int i = 0; i < pg_rows(&db); i++) {
		const char *what = pg_bytes(&db, i, 0, NULL), *sample = pg_bytes(&db, i, 2, NULL);

		if (pg_null(&db, i, 3)) {
			*faults += (uint64_t)pg_i64(&db, i, 1);
			warn("sweep: %s: n=%" PRId64 " first=%s", what, pg_i64(&db, i, 1), sample);
			continue;
		}
		*mended += (uint64_t)pg_i64(&db, i, 1);
		info("sweep: %s: n=%" PRId64 " first=%s: %s", what, pg_i64(&db, i, 1), sample, pg_bytes(&db, i, 3, NULL));
	}
	*swept = (uint64_t)time(NULL);
}

/* One step of pruning: rows of what, name, n. False when there is nothing more to do. */
static bool
prune_step(const char *sql)
{
	bool more = false;

	if (!ask(sql, "prune"))
		return false;
	for (int i = 0; i < pg_rows(&db); i++) {
		const char *what = pg_bytes(&db, i, 0, NULL);

		if (!strcmp(what, "held"))
			continue;
		*(strcmp(what, "dropped") ? deleted : dropped) += strcmp(what, "dropped") ? (uint64_t)pg_i64(&db, i, 2) : 1;
		info("prune: %s %s: n=%" PRId64, what, pg_bytes(&db, i, 1, NULL), pg_i64(&db, i, 2));
		more = true;
	}
	return more;
}

static void
prune(void)
{
	int i = 0;

	while (i++ < STEPS && prune_step("select what, name, n from sluice.prune_part(false)"))
		;
	i = 0;
	while (i++ < STEPS && prune_step("select what, name, n from sluice.prune_rows(false, 10000)"))
		;
}

static void
remember(void *ctx, const char *hex)
{
	(void)ctx;
	buf_add(&old, hex, SHA256_HEX);
}

/* The seconds that a blob must have been there; -1: they stay for ever, or the
 * ledger did not say. */
static int64_t
blob_age(void)
{
	if (!ask("select extract(epoch from sluice.keep_for('retention_blobs'))::bigint", "blobs") || pg_null(&db, 0, 0))
		return -1;
	return pg_i64(&db, 0, 0);
}

/* Those of the old ones that the ledger does not name are removed, if they are
 * still old then. False: it could not be done. */
static bool
collect(bool dry)
{
	int64_t age = blob_age(), before = (int64_t)time(NULL) - age;
	int names, r, n = 0;

	old.len = 0;
	if (age < 0)
		return true;
	if (blob_old(&blobs, before, remember, NULL) < 0 || (r = dry ? 0 : blob_drop_temps(&blobs, before)) < 0) {
		warn_sys("blobs");
		return false;
	}
	if (old.len == 0)
		return true;
	pg_args_reset(&args);
	names = pg_array(&args, PG_TEXT);
	for (size_t i = 0; i < old.len; i += SHA256_HEX)
		pg_put(&args, names, old.p + i, SHA256_HEX - 1);
	if (!fine(pg_call(&db, "select h from unnest($1) h except select b from sluice.blobs_named($1) b", &args), "blobs"))
		return false;
	for (int i = 0; i < pg_rows(&db); i++) {
		const char *hex = pg_bytes(&db, i, 0, NULL);

		if (dry) {
			printf("%s\n", hex);
			continue;
		}
		if ((r = blob_drop(&blobs, hex, before)) < 0) {
			warn_sys("blob %s", hex);
			return false;
		}
		n += r;
	}
	*collected += (uint64_t)n;
	if (!dry)
		info("blobs: old=%zu removed=%d", old.len / SHA256_HEX, n);
	return true;
}

/* Names on standard input, a line each; prints how many went and how many are there
 * still. */
static int
drop_named(int64_t before)
{
	char name[SHA256_HEX + 2];
	int r, gone = 0, left = 0;

	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		if (strlen(name) != SHA256_HEX - 1 || strspn(name, "0123456789abcdef") != SHA256_HEX - 1)
			die(XPERM, "no name of a blob: %s", name);
		if ((r = blob_drop(&blobs, name, before)) < 0)
			die_sys(XTEMP, "blob %s", name);
		gone += r;
		left += !r && blob_has(&blobs, name);
	}
	if (ferror(stdin) || printf("%d %d\n", gone, left) < 0 || fflush(stdout) == EOF)
		die_sys(XTEMP, "read names, write counts");
	return 0;
}

static void
connect_ledger(void)
{
	enum pg_status st = pg_open(&db, arg_env("SLUICE_DB", ""), CONNECT_MS);

	if (st == PG_OK)
		st = pg_ledger(&db, VERSION, NULL, NULL);
	if (st == PG_OK)        /* nobody waits for the keeper, and it reads much */
		st = pg_call(&db, "select set_config('statement_timeout', '600s', false)", NULL);
	if (st != PG_OK)
		die(pg_exit(st), "%s", db.err);
}

/* Waits for a second or a signal; true: a signal, the end. */
static bool
wait_beat(int sigfd)
{
	struct pollfd p = { .fd = sigfd, .events = POLLIN };

	return poll(&p, 1, BEAT_MS) > 0;
}

static void
beat(uint64_t turn, bool have_blobs)
{
	ask("select sluice.timeouts(1000)", "time-outs");
	if (turn % MINUTE == 0) {
		ask("select sluice.parts_ahead(), sluice.restored_end()", "parts");
		sweep(turn % HOUR ? "select what, n, sample, done from sluice.sweep(false, false)"
		                  : "select what, n, sample, done from sluice.sweep(true, false)");
		prune();
	}
	if (have_blobs && turn % BLOBS == FIRST_BLOBS)
		collect(false);
}

static int
keep(int sigfd, bool have_blobs)
{
	bool said = false, asked;

	while (!(asked = ask("select pg_try_advisory_lock(7308, 0)", "lock")) || !pg_bool(&db, 0, 0)) {
		if (asked && !said)
			info("another keeper works, waiting");
		said |= asked;
		if (wait_beat(sigfd))
			return 0;
	}
	info("keeping");
	for (uint64_t turn = 0;; turn++) {
		beat(turn, have_blobs);
		if (wait_beat(sigfd))
			return 0;
	}
}

int
main(int argc, char **argv)
{
	bool only_blobs = false, dry = false, have_blobs;
	int c, sigfd, ready = -1;
	const char *dir, *before = NULL;
	sigset_t set;

	err_init("keeper");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+D:bnr:")) != -1)
		switch (c) {
		case 'D': ready = (int)arg_ulong("-D", optarg, 1, 1023); break;
		case 'b': only_blobs = true; break;
		case 'n': dry = true; break;
		case 'r': before = optarg; break;
		default: die_usage(usage);
		}
	if (argv[optind] || (dry && !only_blobs) || (before && (only_blobs || ready >= 0)))
		die_usage(usage);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((sigfd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		die_sys(XTEMP, "signalfd");
	dir = arg_env("SLUICE_BLOBS", "");
	have_blobs = *dir;
	if (have_blobs && blob_open(&blobs, dir) < 0)
		die_sys(XTEMP, "SLUICE_BLOBS: %s", dir);
	if ((only_blobs || before) && !have_blobs)
		die(XPERM, "SLUICE_BLOBS names no folder");
	if (before)
		return drop_named((int64_t)arg_ulong("-r", before, 0, INT64_MAX));
	mended = metrics_value("keeper_mended_total");
	faults = metrics_value("keeper_faults");
	swept = metrics_value("keeper_sweep_timestamp_seconds");
	dropped = metrics_value("keeper_parts_dropped_total");
	deleted = metrics_value("keeper_rows_deleted_total");
	collected = metrics_value("keeper_blobs_collected_total");
	connect_ledger();
	if (ready >= 0 && (write(ready, "\n", 1) != 1 || close(ready) < 0))
		die_sys(XTEMP, "write fd %d", ready);
	c = only_blobs ? (collect(dry) ? 0 : XTEMP) : keep(sigfd, have_blobs);
	if (only_blobs && fflush(stdout) == EOF)
		die_sys(XTEMP, "write stdout");
	pg_close(&db);
	return c;
}
