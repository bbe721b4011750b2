#include "kafka-stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "json.h"
#include "rec.h"

enum { REFUSED_KEPT = sizeof(((struct kafka_stream *)0)->refused) / sizeof(uint64_t) };

static bool
was_refused(const struct kafka_stream *s, uint64_t seq)
{
	for (size_t i = 0; i < REFUSED_KEPT; i++)
		if (seq && s->refused[i] == seq)
			return true;
	return false;
}

static void
note_refused(struct kafka_stream *s, uint64_t seq)
{
	if (!was_refused(s, seq))
		s->refused[s->next_refused++ % REFUSED_KEPT] = seq;
}

/* The value of the position record as it stands on Kafka. */
static int
parse(struct kafka_stream *s, const struct buf *value)
{
	static struct rec r = REC_INIT, list = REC_INIT;
	const struct rec_member *m;
	uint64_t seq;

	if (rec_parse(&r, value->p, value->len) != REC_OK || !rec_is(rec_get(&r, "ledger"), s->ledger) ||
	    !rec_is(rec_get(&r, "stream"), s->stream) || rec_u64(rec_get(&r, "epoch"), &s->epoch) < 0 ||
	    rec_u64(rec_get(&r, "seq"), &s->seq) < 0)
		return kafka_stream_stop(s, "the position of %s on " KAFKA_POSITIONS " can't be read: %.*s", s->stream,
		    (int)(value->len < 200 ? value->len : 200), value->p);
	m = rec_get(&r, "digest");
	if (m && m->type == '"' && m->val_len == sizeof(s->digest) + 1)
		memcpy(s->digest, m->val + 1, sizeof(s->digest) - 1);
	m = rec_get(&r, "refused");
	if (m && rec_items(&list, m->val, m->val_len) == REC_OK)
		for (size_t i = 0; i < list.n; i++)
			if (rec_u64(&list.m[i], &seq) == 0)
				note_refused(s, seq);
	return 0;
}

/* Fences, then reads the position. */
static int
begin(struct kafka_stream *s)
{
	struct buf value = BUF_INIT;
	int r;

	if (s->tries++ > 1)
		sleep(s->tries < 10 ? s->tries : 10);
	if (kafka_out_init(s->out) < 0)
		return kafka_stream_stop(s, "%s", kafka_out_why(s->out));
	while ((r = kafka_position(KAFKA_POSITIONS, buf_str(&s->key), &value,
	    kafka_out_state(s->out))) < 0)
		sleep(1);
	s->epoch = s->seq = s->next_refused = 0;
	memset(s->refused, 0, sizeof(s->refused));
	memset(s->digest, 0, sizeof(s->digest));
	r = r == 1 ? parse(s, &value) : 0;
	buf_free(&value);
	info("position: ledger=%s stream=%s epoch=%" PRIu64 " seq=%" PRIu64, s->ledger, s->stream,
	    s->epoch, s->seq);
	s->live = r == 0;
	return r;
}

static int
bind(struct kafka_stream *s, const struct kafka_post *p)
{
	if (!s->ledger[0]) {
		memcpy(s->ledger, p->ledger, sizeof(s->ledger));
		memcpy(s->stream, p->stream, sizeof(s->stream));
		buf_addf(&s->key, "%s/%s", s->ledger, s->stream);
	}
	if (strcmp(s->ledger, p->ledger) || strcmp(s->stream, p->stream))
		return kafka_stream_stop(s, "a line of %s/%s among those of %s/%s", p->ledger, p->stream, s->ledger,
		    s->stream);
	return 0;
}

static void
position_value(struct kafka_stream *s, const struct kafka_post *p)
{
	char sep = '[';

	kafka_post_digest(p, s->digest);
	s->value.len = 0;
	buf_adds(&s->value, "{\"ledger\":");
	json_quotes(&s->value, s->ledger);
	buf_addf(&s->value, ",\"epoch\":%" PRIu64 ",\"stream\":", s->epoch);
	json_quotes(&s->value, s->stream);
	buf_addf(&s->value, ",\"seq\":%" PRIu64 ",\"digest\":\"%s\"", p->seq, s->digest);
	if (s->next_refused)
		buf_adds(&s->value, ",\"refused\":");
	for (size_t i = 0; i < REFUSED_KEPT && s->refused[i]; i++, sep = ',')
		buf_addf(&s->value, "%c%" PRIu64, sep, s->refused[i]);
	buf_adds(&s->value, s->next_refused ? "]}" : "}");
}

/* p[0..n) and the position of the last, in one transaction; in two halves
 * when some message, nobody knows which, can't be delivered. */
static enum kafka_txn
publish(struct kafka_stream *s, struct kafka_post *p, size_t n)
{
	struct kafka_msg position = { .topic = KAFKA_POSITIONS, .key = s->key.p, .key_len = s->key.len };
	enum kafka_txn r;
	bool again, was = p->refused;

	do {
		kafka_out_check(s->out, p, n);
		for (size_t i = 0; i < n; i++)
			if (p[i].refused)
				note_refused(s, p[i].seq);
		position_value(s, &p[n - 1]);
		position.val = s->value.p;
		position.val_len = s->value.len;
		r = kafka_out_txn(s->out, p, n, &position);
		again = false;
		for (size_t i = 0; r == KAFKA_REFUSED && i < n; i++) {
			if (n == 1 && p[i].failed && kafka_out_divert(s->out, &p[i]))
				again = true;
			p[i].refused |= n == 1 && p[i].failed;
			again |= p[i].refused && !was_refused(s, p[i].seq);
		}
	} while (again);
	if (r == KAFKA_COMMITTED) {
		s->seq = p[n - 1].seq;
		s->tries = 0;
	}
	if (r != KAFKA_REFUSED)
		return r;
	if (n == 1) {
		p->refused = was;       /* not the message: the position itself was refused */
		return KAFKA_UNKNOWN;
	}
	r = publish(s, p, n / 2);
	return r == KAFKA_COMMITTED ? publish(s, p + n / 2, n - n / 2) : r;
}

int
kafka_stream_send(struct kafka_stream *s, struct kafka_post *p, size_t n)
{
	int r;

	while (n) {
		if ((r = bind(s, p)) < 0 || (!s->live && (r = begin(s)) < 0) ||
		    (r = kafka_stream_agree(s, p)) < 0)
			return r;
		if (p->seq <= s->seq) {
			p->refused = was_refused(s, p->seq);
			if (p->refused && !p->why[0])
				snprintf(p->why, sizeof(p->why), "it could not be delivered earlier");
			p->sent = !p->refused;
			p++;
			n--;
			continue;
		}
		for (size_t i = 1; i < n; i++) {
			if ((r = bind(s, &p[i])) < 0)
				return r;
			if (p[i].seq <= p[i - 1].seq || p[i].epoch != p->epoch)
				return kafka_stream_stop(s, "seq %" PRIu64 " follows %" PRIu64 ": out of order",
				    p[i].seq, p[i - 1].seq);
		}
		switch (publish(s, p, n)) {
		case KAFKA_COMMITTED:
			return 0;
		case KAFKA_FENCED:
			snprintf(s->err, sizeof(s->err), "another relay has taken over: %s",
			    kafka_out_why(s->out));
			return -1;
		case KAFKA_REFUSED:
		case KAFKA_UNKNOWN:
			warn("a transaction's outcome is unknown, the position will tell: %s",
			    kafka_out_why(s->out));
			s->live = false;
		}
	}
	return 0;
}
