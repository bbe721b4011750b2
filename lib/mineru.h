/* mineru.h - a client of mineru-api servers: sends PDFs, several at once, each to the
 * server with the least to do for its size, asks how far they are and takes the
 * blocks. Over fetch.h, so nothing blocks: fetch_work moves it.
 *
 * A server that has lost a task (it was started anew) gets the PDF again; one that
 * can't be reached, or is full, gives way to another. When there is no other the
 * document's answer is a fault to be retried, never another engine's blocks.
 * Functions never print. Not thread-safe.
 */
#ifndef MINERU_H
#define MINERU_H

#include <stdbool.h>
#include <stdint.h>

#include "fetch.h"
#include "mineru_read.h"

enum { MINERU_SERVERS = 16, MINERU_FIELDS = 12 };

struct mineru_server {
	char base[1024];        /* without a slash at its end */
	bool alive;
	bool simple;            /* it has no /tasks: one request for each document */
	struct mineru_health health;
	uint64_t given;         /* documents since it told its health */
};

struct mineru {
	struct fetch *f;
	const char *secret;     /* as in fetch.h; may be NULL */
	const char *backend, *method;   /* or NULL: the server's own */
	unsigned long limit_s;  /* for a document that is being worked on */
	unsigned long look_ms;  /* between two looks how far it is */
	size_t max;             /* bytes of a result */
	/* mineru's own */
	struct mineru_server server[MINERU_SERVERS];
	size_t n;
	size_t asking;          /* servers whose health is awaited */
	int64_t asked;          /* when; 0: never */
	struct mineru_doc *waiting;     /* for a server */
	unsigned long after_ms; /* what the servers that are down said */
	char why[600];
};

/* A document on its way: zero at first, may be used again after done. */
struct mineru_doc {
	/* Fills pdf, which mineru frees as soon as a server has it. 0, or -1: the fault is filled. */
	int (*load)(void *ctx, struct mineru_doc *d);
	void (*done)(void *ctx, struct mineru_doc *d);
	void *ctx;
	struct buf pdf;
	/* The answer: blocks and engine where code is NULL. */
	const char *code;
	char message[700];
	bool retry;
	unsigned long after_ms;
	struct buf blocks, engine;
	/* mineru's own */
	struct mineru *m;
	struct mineru_server *s;
	struct mineru_doc *next;
	struct mineru_task task;
	unsigned tried;         /* servers that failed it, by bit */
	unsigned sent, misses;
	bool simple;            /* sent to /file_parse */
	int64_t begun, deadline;
	struct http_part part[MINERU_FIELDS];
};

/* list: base URLs, commas between. 0, or -1: that is none. */
int mineru_servers(struct mineru *m, const char *list);
/* done comes once, from here or from fetch_work. */
void mineru_start(struct mineru *m, struct mineru_doc *d);

/* mineru*.c's own: d, which waits for a server, gets one or its fault; d->s has it. */
void mineru_choose(struct mineru *m, struct mineru_doc *d);
void mineru_send(struct mineru_doc *d);
/* Asks for what of d's task, "" or "/result", in wait_ms. */
void mineru_look(struct mineru_doc *d, const char *what, void (*done)(void *, struct http_result *), unsigned long wait_ms);
void mineru_accepted(void *ctx, struct http_result *r);
void mineru_finished(void *ctx, struct http_result *r);
void mineru_fail(struct mineru_doc *d, const char *code, bool retry, unsigned long after_ms, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
