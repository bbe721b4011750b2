#include "fetch_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "now.h"

enum {
	HOSTS_MAX = 4096,               /* remembered; idle ones make room for new ones */
	CLOSED_MIN_MS = 1000, CLOSED_MAX_MS = 300 * 1000,
	AFTER_FAILURE_MS = 1000, AFTER_STEPS = 10,
	SLOT_FAR_US = 10 * 1000 * 1000
};

/* xorshift: to spread retries, not to keep secrets. */
static unsigned long
dice(struct fetch_hosts *h, unsigned long below)
{
	h->dice ^= h->dice << 13;
	h->dice ^= h->dice >> 7;
	h->dice ^= h->dice << 17;
	return below ? (unsigned long)(h->dice % below) : 0;
}

/* The number at s, which ends at a space or the end. */
static int
a_rate(const char *s, double *rate)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	*rate = strtod(s, &end);
	return (*end && *end != ' ') || (*rate > 0 && *rate < 0.001) || *rate > 1e6 ? -1 : 0;
}

/* A host's rate: that of "name=", "name:port=" or the first of the list. -1: no list. */
static double
rate_of(const char *list, const char *origin)
{
	const char *name = strstr(origin, "://");
	double rate = 5, v;
	size_t whole, host;

	name = name ? name + 3 : origin;
	whole = strlen(name);
	host = (size_t)(strrchr(name, ':') ? strrchr(name, ':') - name : (ptrdiff_t)whole);
	for (const char *s = list + strspn(list, " "); *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " "), to = strcspn(s, "= ");

		if (a_rate(s[to] == '=' ? s + to + 1 : s, &v) < 0)
			return -1;
		if (s[to] != '=' || ((to == whole || to == host) && strncasecmp(s, name, to) == 0))
			rate = v;
		s += len;
	}
	return rate;
}

int
fetch_hosts_init(struct fetch_hosts *h, const char *rate, unsigned failures, unsigned long rest_ms)
{
	memset(h, 0, sizeof *h);
	h->failures = failures ? failures : 5;
	h->rest_ms = rest_ms ? rest_ms : 60000;
	if (getrandom(&h->dice, sizeof h->dice, 0) != sizeof h->dice || !h->dice)
		h->dice = 0x9e3779b97f4a7c15;
	h->rate = mem_dup(rate ? rate : "5", strlen(rate ? rate : "5"));
	return rate_of(h->rate, "") < 0 ? -1 : 0;
}

static unsigned
hash(const char *origin)
{
	unsigned v = 2166136261u;

	for (; *origin; origin++)
		v = (v ^ (unsigned char)*origin) * 16777619u;
	return v;
}

/* Frees hosts that nothing waits for; all: every one of them. */
static void
clear(struct fetch_hosts *h, bool all)
{
	int64_t now = now_ms();

	for (size_t i = 0; i < FETCH_BUCKETS; i++)
		for (struct fetch_host **at = &h->bucket[i]; *at; ) {
			struct fetch_host *x = *at;

			if (!all && (x->running || x->waiting || x->queue.n || x->closed_until > now)) {
				at = &x->next;
				continue;
			}
			*at = x->next;
			free(x);
			h->n--;
		}
}

void
fetch_hosts_free(struct fetch_hosts *h)
{
	clear(h, true);
	free(h->rate);
	h->rate = NULL;
}

struct fetch_host *
fetch_host_of(struct fetch_hosts *h, const char *origin)
{
	unsigned b = hash(origin) % FETCH_BUCKETS;
	struct fetch_host *x;
	double rate;

	for (x = h->bucket[b]; x; x = x->next)
		if (strcmp(x->origin, origin) == 0)
			return x;
	if (h->n >= HOSTS_MAX)
		clear(h, false);
	x = mem_zalloc(sizeof *x);
	snprintf(x->origin, sizeof x->origin, "%s", origin);
	rate = rate_of(h->rate, origin);
	x->gap_us = rate > 0 ? (int64_t)(1e6 / rate) : 0;
	x->slot = h->pace ? &h->pace[hash(origin) % FETCH_PACES] : &x->own_slot;
	x->next = h->bucket[b];
	h->bucket[b] = x;
	h->n++;
	return x;
}

/* Takes the host's turn, before other processes do. False: it is at *when. */
static bool
take_turn(struct fetch_host *x, int64_t *when)
{
	int64_t now = now_us(), was = atomic_load(x->slot), slot, next;

	do {
		/* Too far off: of a machine that has started anew since, or of another clock. */
		slot = was > now + x->gap_us + SLOT_FAR_US ? 0 : was;
		if (slot > now) {
			*when = slot / 1000 + 1;
			return false;
		}
		/* A turn that came late is caught up with, one of them at most. */
		next = (slot < now - x->gap_us ? now : slot) + x->gap_us;
	} while (!atomic_compare_exchange_weak(x->slot, &was, next));
	return true;
}

enum fetch_may
fetch_host_may(struct fetch_host *x, int64_t *when)
{
	if (now_ms() < x->closed_until)
		return FETCH_CLOSED;
	if (x->probing)
		return FETCH_HELD;
	if (x->gap_us && !take_turn(x, when))
		return FETCH_LATER;
	x->probing = x->resting;
	return FETCH_MAY;
}

void
fetch_host_put_off(struct fetch_hosts *h, struct fetch_host *x, int64_t now, struct http_result *r)
{
	int64_t left = x->closed_until > now ? x->closed_until - now : CLOSED_MIN_MS;
	double turn = (double)++x->put_off * (double)x->gap_us / 1000;
	bool rests = x->resting;

	r->status = 0;
	http_fail(r, rests ? "host_resting" : "rate_limited", true, rests ?
	    "the server failed several times in a row and is left alone" : "the server said to come back later");
	r->after_ms = (unsigned long)(left + (int64_t)(turn < 3600e3 ? turn : 3600e3)) + dice(h, 1000);
}

static void
close_host(struct fetch_host *x, int64_t until)
{
	if (until > x->closed_until) {
		x->closed_until = until;
		x->put_off = 0;
	}
}

/* It answered, but not now: for as long as it says, else for longer each time. */
static void
said_later(struct fetch_hosts *h, struct fetch_host *x, int64_t now, struct http_result *r)
{
	unsigned long ms = r->after_ms;

	if (!ms) {
		x->busy += now >= x->closed_until && x->busy < 10;      /* those sent before it said so are one */
		ms = (unsigned long)CLOSED_MIN_MS << (x->busy ? x->busy - 1 : 0);
	}
	if (!r->after_ms && ms > CLOSED_MAX_MS)
		ms = CLOSED_MAX_MS;
	close_host(x, now + (int64_t)ms);
	r->after_ms = ms + dice(h, ms / 10 + 1000);
	if (r->status == 429)
		r->code = "rate_limited";
}

void
fetch_host_learn(struct fetch_hosts *h, struct fetch_host *x, int64_t now, struct http_result *r)
{
	/* What could not be stored here is no fault of the host. */
	bool failed = r->code && r->retry && r->status != 429 && strcmp(r->code, "store_failed") != 0;
	unsigned steps;

	if (!failed && x->resting)
		x->closed_until = 0;
	if (x->probing || !failed)
		x->resting = x->probing = false;
	if (!failed)
		x->failures = 0;
	if (r->code && r->retry && (r->status == 429 || r->after_ms)) {
		said_later(h, x, now, r);
		return;
	}
	if (!failed) {
		x->busy = 0;
		return;
	}
	if (++x->failures >= h->failures) {
		x->resting = true;
		close_host(x, now + (int64_t)h->rest_ms);
		r->after_ms = h->rest_ms + dice(h, h->rest_ms / 10 + 1000);
		return;
	}
	steps = x->failures < AFTER_STEPS ? x->failures : AFTER_STEPS;
	r->after_ms = steps * (AFTER_FAILURE_MS / 2 + dice(h, AFTER_FAILURE_MS));
}
