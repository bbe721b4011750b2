/* lifetest N PIPELINE - lives of N jobs of PIPELINE through the ledger's library in this process: the modules of
 * admit and from-ledger with no pipe, no filter and no JSON between them. Requests of 300 bytes that do not compress, results
 * as long that do, as the rivals' (t/bench/rivals). Prints {"jobs":N,"add_s":S,"work_s":S}, without connecting. For ledger_lib_vs_..., see t/bench/lifecycle.py. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admitting.h"
#include "arg.h"
#include "claim.h"
#include "err.h"
#include "now.h"

enum { BATCH = 500, WINDOW = 4000, TEXT = 240, RESULT = 290, LEDGER = 24 };

static char texts[BATCH][TEXT + 1];     /* that do not compress */
static char result[RESULT + 1];         /* that does */

static void
check(enum pg_status st, const struct pg *db)
{
	if (st != PG_OK)
		die(pg_exit(st), "%s", db->err);
}

static void
open_ledger(struct pg *db)
{
	check(pg_open(db, arg_env("SLUICE_DB", ""), 5000), db);
	check(pg_ledger(db, LEDGER, NULL, NULL), db);
}

static void
make_texts(void)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < BATCH; i++) {
		if (read(fd, texts[i], TEXT) != TEXT)
			die_sys(XTEMP, "/dev/urandom");
		for (int j = 0; j < TEXT; j++)
			texts[i][j] = digit[texts[i][j] & 63];
	}
	close(fd);
}

static void
landed(struct admitting *a)
{
	struct admitting_way *w = admitting_wait(a);

	if (w->state != WAY_LANDED)
		die(XTEMP, "%s", w->db.err);
	admitting_free(a);
}

/* One batch is made while others are on their way. */
static void
add(struct admitting *a, const char *pipeline, size_t n)
{
	static struct entry entry[ADMITTING_WAYS + 1][BATCH];
	static struct buf line;
	const struct entry_said said = { .default_tenant = "default" };

	for (size_t at = 0; at < n; at += BATCH) {
		struct entry *batch = entry[at / BATCH % (ADMITTING_WAYS + 1)];
		size_t k = n - at < BATCH ? n - at : BATCH;

		for (size_t i = 0; i < k; i++) {
			line.len = 0;
			buf_addf(&line, "{\"job_id\":\"%s-%zu\",\"pipeline\":\"%s\",\"text\":\"%s\"}", pipeline, at + i, pipeline, texts[i]);
			entry_read(&batch[i], line.p, line.len);
			check(admission_columns(admitting_db(a), &batch[i], &said), admitting_db(a));
		}
		if (!admission_ready(batch, k))
			die(XTEMP, "a batch that is not ready");
		if (admitting_full(a))
			landed(a);
		if (!admitting_send(a, batch, k))
			die(XTEMP, "a batch that cannot be sent");
	}
	while (a->n)
		landed(a);
}

/* What a filter would have answered. */
static void
complete(struct flights *fs, size_t i, int64_t now)
{
	static const struct result_verdict done = { .verb = "completed" };
	static struct buf message;
	struct result_job j = flight_job(fs, i);

	message.len = 0;
	result_message(&message, &j, "completed", NULL, NULL, NULL);
	buf_addf(&message, ",\"result\":{\"text\":\"%s\"}", result);
	flight_add(fs, i, &done, NULL, &message, NULL, now);
}

static struct flight *base;

static int
by_number(const void *a, const void *b)
{
	const struct flight *x = &base[*(const size_t *)a], *y = &base[*(const size_t *)b];

	return (x->no > y->no) - (x->no < y->no);
}

/* Those that came since, in the order in which a filter would have had them. */
static void
complete_some(struct flights *fs, int64_t now)
{
	static int64_t given[WINDOW];
	size_t at[WINDOW], n = 0;

	for (size_t i = 0; i < WINDOW; i++)
		if (fs->f[i].used && given[i] != fs->f[i].no)
			at[n++] = i;
	base = fs->f;
	qsort(at, n, sizeof(*at), by_number);
	for (size_t k = 0; k < n && !flights_full(fs); k++) {
		given[at[k]] = fs->f[at[k]].no;
		complete(fs, at[k], now);
	}
}

static void
rest(const struct claim *claim, const struct flights *fs, int wait_ms)
{
	struct pollfd fd[2] = {
		{ .fd = claim->under_way ? pg_fd(fs->lease->db) : -1, .events = POLLIN },
		{ .fd = fs->under_way ? pg_fd(fs->db) : -1, .events = POLLIN },
	};

	poll(fd, 2, wait_ms);
}

static void
work(struct pg *db, struct pg *settling, const char *pipeline, size_t n)
{
	static const struct backoff backoff = { .retries = 3, .first_ms = 1000, .cap_ms = 300000, .factor = 2 };
	static struct lease lease = LEASE_INIT;
	static struct flights flights;
	static struct claim claim = CLAIM_INIT(&flights);

	lease.pipeline = pipeline;
	check(lease_begin(&lease, db, "lifetest"), db);
	flights_init(&flights, &lease, settling, WINDOW, &backoff);
	while (flights.count.processed < (int64_t)n) {
		int64_t now = now_ms();
		int wait_ms = 1000;

		if (flights_answered(&flights))
			check(flights_land(&flights, now), settling);
		check(claim_tick(&claim, NULL, now, &wait_ms), db);
		if (!claim.under_way) {
			check(lease_tick(&lease, flights_slots(&flights), now, &wait_ms), db);
			check(claim_some(&claim, NULL, WINDOW - flights.n, now), db);
		}
		complete_some(&flights, now);
		if (!flights.sent && flights.added->s.n && (flights_full(&flights) || flights.added->s.n == flights.n))
			check(flights_send(&flights, now), settling);
		else if (flights.count.processed < (int64_t)n)
			rest(&claim, &flights, flights.added->s.n && !flights.sent ? 0 : wait_ms);
	}
	check(lease_end(&lease), db);
	flights_free(&flights);
	claim_release(&claim);
	dispatch_release(&lease.jobs);
}

int
main(int argc, char **argv)
{
	static struct pg db = PG_INIT, settling = PG_INIT;
	static struct admitting admitting = ADMITTING_INIT;
	int64_t begin, added, worked;
	size_t n;

	err_init("lifetest");
	if (argc != 3)
		die_usage("lifetest N PIPELINE\n");
	n = arg_ulong("N", argv[1], 1, 100000000);
	make_texts();
	memset(result, 'y', RESULT);
	open_ledger(&db);
	open_ledger(&settling);
	check(admitting_open(&admitting, arg_env("SLUICE_DB", ""), LEDGER, 5000), admitting_db(&admitting));
	begin = now_us();
	add(&admitting, argv[2], n);
	added = now_us();
	work(&db, &settling, argv[2], n);
	worked = now_us();
	admitting_close(&admitting);
	pg_close(&settling);
	pg_close(&db);
	printf("{\"jobs\":%zu,\"add_s\":%.3f,\"work_s\":%.3f}\n", n, (double)(added - begin) / 1e6, (double)(worked - added) / 1e6);
	return 0;
}
