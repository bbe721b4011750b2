#include "hint.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"

enum {
	PIPELINES = 16,         /* said at once; more are left to the workers' own looks */
	NAME = 129,
	APART_MS = 5,           /* two hints for a pipeline, at least */
	PAUSE_MS = 1000, PAUSE_MOST_MS = 16000,
	END_MS = 1000           /* after that the workers have looked for themselves */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more, none;
	char name[PIPELINES][NAME];     /* to be said */
	int n;
	bool started, busy;     /* busy: some are being said */
	const char *conninfo;
} h = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

/* What is to be said, into the arguments of a call. */
static void
take(struct pg_args *args)
{
	int a;

	pg_args_reset(args);
	a = pg_array(args, PG_TEXT);
	pthread_mutex_lock(&h.lock);
	h.busy = false;
	if (!h.n)
		pthread_cond_signal(&h.none);
	while (!h.n)
		pthread_cond_wait(&h.more, &h.lock);
	for (int i = 0; i < h.n; i++)
		pg_puts(args, a, h.name[i]);
	h.n = 0;
	h.busy = true;
	pthread_mutex_unlock(&h.lock);
}

static enum pg_status
say(struct pg *db, struct pg_args *args)
{
	enum pg_status st = PG_OK;

	if (!db->conn)
		st = pg_open(db, h.conninfo, 0);
	if (st == PG_OK)
		st = pg_call(db, "select pg_notify('" HINT_CHANNEL "', p) from unnest($1) p", args);
	return st;
}

static void *
work(void *unused)
{
	static struct pg db = PG_INIT;
	static struct pg_args args = PG_ARGS_INIT;
	static char name[64];
	int pause_ms = PAUSE_MS;
	bool told = false;

	snprintf(name, sizeof(name), "%s hints", err_prog());
	db.name = name;
	for (;;) {
		take(&args);
		if (say(&db, &args) == PG_OK) {
			told = false;
			pause_ms = PAUSE_MS;
			poll(NULL, 0, APART_MS);
			continue;
		}
		if (!told)
			warn("no hints to workers for now: %s", db.err);
		told = true;
		pg_close(&db);
		poll(NULL, 0, pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
	}
	return unused;
}

/* Signals are for the thread that was there first. */
static void
start(void)
{
	pthread_condattr_t a;
	pthread_t t;
	sigset_t all, was;

	h.started = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&h.none, &a);
	if ((errno = pthread_create(&t, NULL, work, NULL)) != 0)
		warn_sys("no hints to workers: start a thread");
	else
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

void
hint_say(const char *conninfo, const char *pipeline, size_t len)
{
	int i = 0;

	if (len >= NAME)
		return;
	h.conninfo = h.conninfo ? h.conninfo : conninfo;
	if (!h.started)
		start();
	pthread_mutex_lock(&h.lock);
	while (i < h.n && (strlen(h.name[i]) != len || memcmp(h.name[i], pipeline, len) != 0))
		i++;
	if (i == h.n && i < PIPELINES) {
		memcpy(h.name[i], pipeline, len);
		h.name[i][len] = '\0';
		h.n++;
		pthread_cond_signal(&h.more);
	}
	pthread_mutex_unlock(&h.lock);
}

void
hint_end(void)
{
	struct timespec until;

	if (!h.started)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += END_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&h.lock);
	while ((h.n || h.busy) && pthread_cond_timedwait(&h.none, &h.lock, &until) == 0)
		;
	pthread_mutex_unlock(&h.lock);
}
