/* fetch_int.h - fetch.c's hosts and requests. Internal to lib/fetch*. */
#ifndef FETCH_INT_H
#define FETCH_INT_H

#include <stdint.h>

#include "fetch.h"
#include "fetch_cache.h"

enum { FETCH_ORIGIN_MAX = 300, FETCH_BUCKETS = 256 };

/* A request on its way: waiting in its host's queue, or being transferred, or
 * answered and not yet told. */
struct fetch_job {
	struct fetch_job *next;
	struct fetch_host *host;
	struct fetch_request q; /* its strings are the buffers below */
	struct buf url, method, secret, secret_query, header;
	struct buf sent;        /* url with secret_query where it may go */
	char origin[FETCH_ORIGIN_MAX];  /* of the first URL */
	const char *headers[5];
	struct buf condition[2];        /* If-None-Match, If-Modified-Since */
	char name[SHA256_HEX];  /* in the cache; "": not kept */
	struct fetch_kept kept;
	bool recalled;          /* the answer is the cache's */
	unsigned hops;
	int64_t not_before;
	struct http_transfer t;
	struct http_result r;
};

struct fetch_queue {
	struct fetch_job *head, *last;
	size_t n;
};
void fetch_push(struct fetch_queue *l, struct fetch_job *j);
struct fetch_job *fetch_pop(struct fetch_queue *l);

struct fetch_host {
	struct fetch_host *next;        /* in its bucket */
	char origin[FETCH_ORIGIN_MAX];
	int64_t gap_us;         /* between two beginnings; 0: none */
	_Atomic int64_t own_slot, *slot;        /* when the next may begin, µs: ours, or that of all processes */
	struct fetch_queue queue;
	unsigned running, waiting;      /* sent; for their time, in fetch.waiting */
	int64_t closed_until;   /* it said when to come back, or it rests */
	bool resting, probing;  /* closed for its failures; one request tries it after that */
	unsigned failures, busy;        /* in a row: failures, and times that it closed by "later" without a time */
	uint64_t put_off;       /* requests answered with a time since it closed */
};

struct fetch_hosts {
	struct fetch_host *bucket[FETCH_BUCKETS];
	size_t n;
	char *rate;             /* fetch_opts.rate */
	unsigned failures;
	unsigned long rest_ms;
	_Atomic int64_t *pace;  /* fetch_cache.pace */
	uint64_t dice;
};

/* 0, or -1: rate is no list of rates. */
int fetch_hosts_init(struct fetch_hosts *h, const char *rate, unsigned failures, unsigned long rest_ms);
void fetch_hosts_free(struct fetch_hosts *h);
/* The host of an origin, made where it is new. */
struct fetch_host *fetch_host_of(struct fetch_hosts *h, const char *origin);

enum fetch_may { FETCH_MAY, FETCH_LATER, FETCH_HELD, FETCH_CLOSED };
/* May a request begin now? FETCH_LATER: at *when, for its rate. FETCH_HELD: not before the one
 * that tries the host is answered. FETCH_CLOSED: answer it with fetch_host_put_off.
 * FETCH_MAY has taken the slot. */
enum fetch_may fetch_host_may(struct fetch_host *x, int64_t *when);
void fetch_host_put_off(struct fetch_hosts *h, struct fetch_host *x, int64_t now, struct http_result *r);
/* What an answer says about its host; fills r->after_ms where a retry is due. */
void fetch_host_learn(struct fetch_hosts *h, struct fetch_host *x, int64_t now, struct http_result *r);

struct fetch {
	struct fetch_opts o;
	struct http_multi *m;
	struct fetch_hosts hosts;
	struct fetch_cache cache;
	struct fetch_totals totals;
	struct fetch_queue waiting;     /* for their time */
	struct fetch_queue ready;       /* answered, to be told */
	struct fetch_queue spare;
	size_t unanswered, running;
	int64_t here;           /* when we looked at it last */
	unsigned turn;          /* the bucket that comes first */
	int64_t wake;           /* when something may begin; -1: nothing waits for a time */
};

/* Into the queue of the host that j->url leads to, or answered because it leads nowhere. */
void fetch_enqueue(struct fetch *f, struct fetch_job *j);
/* True when the answer was a redirect and the request goes on to where it leads. */
bool fetch_go_on(struct fetch *f, struct fetch_job *j);

/* True when the cache has a fresh answer: it is j's now. Else the headers that ask whether
 * an older one has changed are in j->condition. */
bool fetch_recall(struct fetch *f, struct fetch_job *j);
/* After an answer: puts the kept one in the place of "not modified". False: it is
 * gone, and j is to be asked again. */
bool fetch_unchanged(struct fetch *f, struct fetch_job *j);
/* After done: keeps the answer, where it may. */
void fetch_keep(struct fetch *f, struct fetch_job *j);

#endif
