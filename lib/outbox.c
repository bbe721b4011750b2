#include "outbox.h"

#include <stdlib.h>

#include "json.h"
#include "ndjson.h"

enum {
	READ_BYTES = 16 << 20,  /* of a read: the window counts messages, and a message may be large */
	ROOM = 8192             /* in a line, for all but the value */
};

static const char lock_sql[] = "select pg_try_advisory_lock(7305, hashtext($1))";
static const char base_sql[] = "select sluice.outbox_base(), (select sent from sluice.outbox_pos where stream = $1)";
static const char sent_sql[] = "select sluice.outbox_sent($1, $2)";
static const char bad_sql[] = "select sluice.outbox_undeliverable($1, $2, $3)";
static const char read_sql[] = "select seq, topic, fallback, key, headers, value, head"
    " from sluice.outbox_read($1, $2, $3, $4)";
enum { SEQ, TOPIC, FALLBACK, KEY, HEADERS, VALUE, HEAD };

static void
begin(struct outbox *o)
{
	pg_args_reset(&o->args);
	pg_puts(&o->args, pg_scalar(&o->args, PG_TEXT), o->stream);
}

static void
number(struct outbox *o, enum pg_type type, int64_t v)
{
	pg_put_i64(&o->args, pg_scalar(&o->args, type), v);
}

void
outbox_init(struct outbox *o, struct pg *db, const char *stream, size_t window)
{
	*o = (struct outbox){ .db = db, .stream = stream, .ring_n = window, .bad_seq = -1 };
	o->ring = mem_zalloc(window * sizeof(*o->ring));
}

void
outbox_release(struct outbox *o)
{
	free(o->ring);
	pg_args_free(&o->args);
	pg_args_free(&o->bad);
}

enum pg_status
outbox_open(struct outbox *o)
{
	enum pg_status st = pg_ledger(o->db, 7, o->ledger, &o->epoch);

	if (st != PG_OK)
		return st;
	begin(o);
	st = pg_call(o->db, base_sql, &o->args);
	if (st != PG_OK)
		return st;
	o->base = pg_i64(o->db, 0, 0);
	o->read_to = o->sent = o->marked = pg_i64(o->db, 0, 1);
	return PG_OK;
}

enum pg_status
outbox_lock(struct outbox *o, bool *live)
{
	enum pg_status st;

	begin(o);
	st = pg_call(o->db, lock_sql, &o->args);
	*live = st == PG_OK && pg_bool(o->db, 0, 0);
	return st;
}

enum pg_status
outbox_read(struct outbox *o, size_t want)
{
	if (want > o->ring_n - o->held)
		want = o->ring_n - o->held;
	begin(o);
	number(o, PG_INT8, o->read_to);
	number(o, PG_INT4, (int64_t)want);
	number(o, PG_INT8, READ_BYTES);
	return pg_call(o->db, read_sql, &o->args);
}

static void
member(struct outbox *o, struct buf *line, const char *name, int row, int col, bool json)
{
	size_t len;
	const char *p = pg_bytes(o->db, row, col, &len);

	buf_adds(line, name);
	if (pg_null(o->db, row, col))
		buf_adds(line, "null");
	else if (json)
		buf_add(line, p, len);
	else
		json_quote(line, p, len);
}

/* The message's own headers, and its number: what a ledger that is restored from
 * a backup knows the published by. */
static void
headers(struct outbox *o, struct buf *line, int row, int64_t seq)
{
	size_t len;
	const char *p = pg_bytes(o->db, row, HEADERS, &len);

	while (len && p[len - 1] != '}')
		len--;
	buf_adds(line, ",\"headers\":{");
	if (len > 2) {
		buf_add(line, p + 1, len - 2);
		buf_addc(line, ',');
	}
	buf_addf(line, "\"sluice-seq\":\"%s/%s/%lld\"}", o->ledger, o->stream, (long long)seq);
}

/* The filter could not read a line over the limit, and so would never answer it:
 * without its value it is refused, and the stream goes on. */
static void
value(struct outbox *o, struct buf *line, int row)
{
	size_t len;

	pg_bytes(o->db, row, VALUE, &len);
	if (len > RECORD_MAX - ROOM)
		buf_addf(line, ",\"value_length\":%zu", len);
	else
		member(o, line, ",\"value\":", row, VALUE, true);
}

size_t
outbox_line(struct outbox *o, int row, struct buf *line)
{
	int64_t seq = pg_i64(o->db, row, SEQ);
	size_t tag = (o->first + o->held++) % o->ring_n;

	o->ring[tag] = (struct outbox_message){ .seq = seq };
	o->head = pg_i64(o->db, row, HEAD);
	buf_addf(line, "{\"outbox\":{\"ledger\":\"%s\",\"epoch\":%d,\"stream\":", o->ledger, o->epoch);
	json_quotes(line, o->stream);
	/* By these to-kafka sees a position that is not this ledger's. */
	buf_addf(line, ",\"seq\":%lld,\"prev\":%lld,\"head\":%lld", (long long)seq,
	    (long long)o->read_to, (long long)o->head);
	if (o->base)
		buf_addf(line, ",\"base\":%lld", (long long)o->base);
	member(o, line, "},\"topic\":", row, TOPIC, false);
	if (!pg_null(o->db, row, FALLBACK))
		member(o, line, ",\"fallback\":", row, FALLBACK, false);
	member(o, line, ",\"key\":", row, KEY, false);
	headers(o, line, row, seq);
	value(o, line, row);
	buf_addc(line, '}');
	o->read_to = seq;
	return tag;
}

static void
note(struct outbox *o, int64_t seq, const char *error)
{
	if (o->bad_seq < 0) {
		pg_args_reset(&o->bad);
		pg_puts(&o->bad, pg_scalar(&o->bad, PG_TEXT), o->stream);
		o->bad_seq = pg_array(&o->bad, PG_INT8);
		o->bad_error = pg_array(&o->bad, PG_TEXT);
	}
	pg_put_i64(&o->bad, o->bad_seq, seq);
	pg_puts(&o->bad, o->bad_error, error);
}

void
outbox_answered(struct outbox *o, size_t tag, const char *error)
{
	if (error)
		note(o, o->ring[tag].seq, error);
	o->ring[tag].answered = true;
	while (o->held && o->ring[o->first].answered) {
		o->sent = o->ring[o->first].seq;
		o->first = (o->first + 1) % o->ring_n;
		o->held--;
	}
}

enum pg_status
outbox_mark(struct outbox *o)
{
	enum pg_status st;

	if (o->bad_seq >= 0) {
		st = pg_call(o->db, bad_sql, &o->bad);
		if (st != PG_OK)
			return st;
		o->bad_seq = -1;
	}
	if (o->sent == o->marked)
		return PG_OK;
	begin(o);
	number(o, PG_INT8, o->sent);
	st = pg_call(o->db, sent_sql, &o->args);
	if (st == PG_OK)
		o->marked = o->sent;
	return st;
}
