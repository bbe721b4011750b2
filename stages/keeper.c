/* keeper - keep the ledger in order: time-outs, parts of the history ahead and
 * away, what events missed, blobs that nothing names. See docs/keeper.1. */
#include <errno.h>
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
#include "collect.h"
#include "err.h"
#include "metrics.h"
#include "pg.h"

enum {
	CONNECT_MS = 5000, VERSION = 9,
	BEAT_MS = 1000,                 /* time-outs */
	MINUTE = 60, HOUR = 60 * 60,    /* in beats */
	BLOBS = 6 * HOUR, FIRST_BLOBS = 10 * MINUTE,
	ASIDE = 10 * MINUTE,
	STEPS = 100                     /* of pruning, a minute, up to 10,000 rows each */
};

static const char usage[] = "keeper [-D fd] | keeper -b [-n] | keeper -r second | keeper -g name\n\n"
    "Keeps the ledger (SLUICE_DB) in order: each second what has timed out, each minute\n"
    "what is too old and what an event missed, now and then blobs (SLUICE_BLOBS) that\n"
    "nothing names. One keeper works, another waits.\n"
    "  -D fd  write a newline to it when ready\n"
    "  -b     only collect blobs, once\n"
    "  -n     with -b: print what would be removed\n"
    "  -r second  only remove the blobs named on standard input that are older than that\n"
    "  -g name  only write that blob to standard output\n";

static struct pg db = PG_INIT;
static struct collect blobs = { .db = &db, .blobs = BLOB_INIT };
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
		collect_old(&blobs);
	if (have_blobs && turn % ASIDE == FIRST_BLOBS % ASIDE)
		collect_aside(&blobs);
	*collected = blobs.removed;
}

static int
once(bool dry)
{
	bool done;

	blobs.dry = dry;
	done = collect_old(&blobs) && collect_aside(&blobs);
	if (fflush(stdout) == EOF)
		die_sys(XTEMP, "write stdout");
	return done ? 0 : XTEMP;
}

/* True when SLUICE_BLOBS names any. */
static bool
open_blobs(void)
{
	const char *name = arg_env("SLUICE_BLOBS", "");

	if (*name && blob_open(&blobs.blobs, name) < 0)
		die(errno == EINVAL ? XPERM : XTEMP, "SLUICE_BLOBS: %s: %s", name, blob_why());
	return *name;
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
	const char *before = NULL, *show = NULL;
	int c, sigfd, ready = -1;
	sigset_t set;

	err_init("keeper");
	arg_help(argc, argv, usage);
	while ((c = getopt(argc, argv, "+D:bg:nr:")) != -1)
		switch (c) {
		case 'D': ready = (int)arg_ulong("-D", optarg, 1, 1023); break;
		case 'b': only_blobs = true; break;
		case 'g': show = optarg; break;
		case 'n': dry = true; break;
		case 'r': before = optarg; break;
		default: die_usage(usage);
		}
	if (argv[optind] || (dry && !only_blobs) || ((before || show) && (only_blobs || ready >= 0 || (before && show))))
		die_usage(usage);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((sigfd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		die_sys(XTEMP, "signalfd");
	have_blobs = open_blobs();
	if ((only_blobs || before || show) && !have_blobs)
		die(XPERM, "SLUICE_BLOBS names no folder and no store");
	if (before)
		return collect_named(&blobs.blobs, (int64_t)arg_ulong("-r", before, 0, INT64_MAX));
	if (show)
		return collect_show(&blobs.blobs, show);
	mended = metrics_value("keeper_mended_total");
	faults = metrics_value("keeper_faults");
	swept = metrics_value("keeper_sweep_timestamp_seconds");
	dropped = metrics_value("keeper_parts_dropped_total");
	deleted = metrics_value("keeper_rows_deleted_total");
	collected = metrics_value("keeper_blobs_collected_total");
	connect_ledger();
	if (ready >= 0 && (write(ready, "\n", 1) != 1 || close(ready) < 0))
		die_sys(XTEMP, "write fd %d", ready);
	c = only_blobs ? once(dry) : keep(sigfd, have_blobs);
	pg_close(&db);
	return c;
}
