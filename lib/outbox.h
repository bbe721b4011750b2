/* outbox.h - a stream of the ledger's outbox, as its relay sees it: read in
 * order, marked as sent up to the first that was not answered.
 *
 * Functions return a pg_status; db->err has the sentence.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>

#include "pg.h"

/* Messages in flight in their order; answered ones wait for those before them. */
struct outbox_message {
	int64_t seq;
	bool answered;
};

struct outbox {
	struct pg *db;
	const char *stream;
	char ledger[37];
	int epoch;
	int64_t base;           /* where the epoch's numbers begin; 0: not known */
	int64_t read_to, sent;  /* fed up to; all answered up to */
	int64_t marked, head;   /* what the ledger has; the stream's last number */
	struct outbox_message *ring;
	size_t ring_n, first, held;
	struct pg_args args, bad;
	int bad_seq, bad_error; /* parameters of bad, or -1 */
};

void outbox_init(struct outbox *o, struct pg *db, const char *stream, size_t window);
void outbox_release(struct outbox *o);

/* Who the ledger is, and how far it is marked. */
enum pg_status outbox_open(struct outbox *o);
/* Asks once to be the live relay; *live tells. */
enum pg_status outbox_lock(struct outbox *o, bool *live);

/* The next rows, at most want and as many as the window has room for; each is
 * then taken with outbox_line, which appends row's line and returns its tag. */
enum pg_status outbox_read(struct outbox *o, size_t want);
size_t outbox_line(struct outbox *o, int row, struct buf *line);

/* The message came back; error: why it could not be delivered, or NULL. */
void outbox_answered(struct outbox *o, size_t tag, const char *error);
/* Moves the mark to sent; those that could not be delivered are noted first. */
enum pg_status outbox_mark(struct outbox *o);

#endif
