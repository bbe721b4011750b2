#include "gauges.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "arg.h"
#include "err.h"
#include "expose.h"
#include "now.h"
#include "pg.h"

enum { NAME, TYPE, HELP, LABELS, VALUE };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wanted, fresh;
	bool asked, up;
	int64_t at_ms, took_ms;         /* of the last answer, good or not */
	uint64_t turn;
	struct buf text;
} g = { .lock = PTHREAD_MUTEX_INITIALIZER, .wanted = PTHREAD_COND_INITIALIZER };

void
gauges_rows(struct buf *out, const struct pg *db)
{
	static struct buf family;

	family.len = 0;
	for (int i = 0; i < pg_rows(db); i++) {
		const char *name = pg_bytes(db, i, NAME, NULL), *labels = pg_bytes(db, i, LABELS, NULL);

		if (strcmp(buf_str(&family), name) != 0) {
			expose_family(out, name, pg_bytes(db, i, TYPE, NULL), pg_bytes(db, i, HELP, NULL));
			family.len = 0;
			buf_adds(&family, name);
		}
		buf_addf(out, "sluice_%s%s%s%s %.15g\n", name, *labels ? "{" : "", labels, *labels ? "}" : "",
		    pg_f64(db, i, VALUE));
	}
}

/* True when out holds the ledger's rows. A failure is said once. */
static bool
ask(struct pg *db, struct buf *out)
{
	static bool told;
	enum pg_status st = PG_OK;

	if (!db->conn)
		st = pg_open(db, arg_env("SLUICE_DB", ""), 0);
	if (st == PG_OK)
		st = pg_call(db, GAUGES_SQL, NULL);
	if (st == PG_OK) {
		gauges_rows(out, db);
		if (told)
			info("the ledger answers again");
		told = false;
		return true;
	}
	if (!told)
		warn("no numbers from the ledger: %s", db->err);
	told = true;
	pg_close(db);
	return false;
}

static void *
work(void *unused)
{
	static struct pg db = PG_INIT;
	static struct buf text;

	pthread_mutex_lock(&g.lock);
	for (;;) {
		int64_t began;
		bool up;

		while (!g.asked)
			pthread_cond_wait(&g.wanted, &g.lock);
		pthread_mutex_unlock(&g.lock);
		began = now_ms();
		text.len = 0;
		up = ask(&db, &text);
		pthread_mutex_lock(&g.lock);
		g.text.len = 0;
		buf_add(&g.text, text.p, text.len);
		g.up = up;
		g.at_ms = now_ms();
		g.took_ms = g.at_ms - began;
		g.asked = false;
		g.turn++;
		pthread_cond_broadcast(&g.fresh);
	}
	return unused;
}

void
gauges_start(void)
{
	pthread_condattr_t a;
	pthread_t t;

	if (pthread_condattr_init(&a) != 0 || pthread_condattr_setclock(&a, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&g.fresh, &a) != 0 || (errno = pthread_create(&t, NULL, work, NULL)) != 0)
		die_sys(XTEMP, "start a thread");
	pthread_detach(t);
}

void
gauges_add(struct buf *out)
{
	struct timespec until;
	uint64_t turn;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += GAUGES_WAIT_MS / 1000;
	pthread_mutex_lock(&g.lock);
	turn = g.turn;
	if (!turn || now_ms() - g.at_ms >= GAUGES_AGE_MS) {
		g.asked = true;
		pthread_cond_signal(&g.wanted);
		while (g.turn == turn && pthread_cond_timedwait(&g.fresh, &g.lock, &until) == 0)
			;
	}
	/* No answer in time is an answer too: what was before is not shown. */
	if (g.turn == turn && g.asked)
		g.up = false;
	if (g.up)
		buf_add(out, g.text.p, g.text.len);
	expose_family(out, "ledger_up", "gauge", "1 when the ledger answered; without it none of its numbers are here.");
	buf_addf(out, "sluice_ledger_up %d\n", g.up);
	expose_family(out, "ledger_answer_seconds", "gauge", "How long the ledger took to count.");
	buf_addf(out, "sluice_ledger_answer_seconds %.3f\n", (double)g.took_ms / 1000);
	pthread_mutex_unlock(&g.lock);
}
