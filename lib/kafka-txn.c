#include <stdio.h>
#include <unistd.h>

#include "err.h"
#include "kafka-producer.h"

enum { CALL_MS = 2000 };

/* Calls that may be made again until they say something final. */
static rd_kafka_error_t *
persist(struct kafka_out *o, rd_kafka_error_t *(*call)(rd_kafka_t *, int), const char *what)
{
	rd_kafka_error_t *e;

	while ((e = call(o->k.rk, CALL_MS))) {
		if (!rd_kafka_error_is_retriable(e))
			return e;
		rd_kafka_poll(o->k.rk, 0);
		if (!o->k.down)
			kafka_waits(&o->k.state, "%s at %s: %s", what, o->k.servers,
			    rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
	}
	o->k.down = false;
	kafka_ready(&o->k.state);
	return NULL;
}

static bool
hopeless(rd_kafka_resp_err_t e)
{
	switch (e) {
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
		return true;
	default:
		return false;
	}
}

int
kafka_out_init(struct kafka_out *o)
{
	rd_kafka_error_t *e;
	bool give_up;
	int r;

	for (;;) {
		if ((r = kafka_producer_open(o)) == -1)
			return -1;
		if (r < 0) {                    /* no threads, no memory */
			kafka_waits(&o->k.state, "%s", o->k.err);
			sleep(1);
			continue;
		}
		e = persist(o, rd_kafka_init_transactions, "no transaction coordinator answers");
		if (!e)
			return 0;
		give_up = hopeless(rd_kafka_error_code(e));
		snprintf(o->k.err, sizeof(o->k.err), "init_transactions: %s", rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
		if (give_up)
			return -1;
		warn("%s: trying again", o->k.err);
		sleep(1);
	}
}

/* A transaction that outlived its timeout is ended by the coordinator, which
 * looks like being fenced: only a young one tells that somebody else is there. */
static enum kafka_txn
ended(struct kafka_out *o, rd_kafka_error_t *e, int64_t since)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(e);
	bool young = now_ms() - since < KAFKA_TXN_MS * 3 / 4;

	snprintf(o->k.err, sizeof(o->k.err), "%s: %s", rd_kafka_err2name(code), rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	switch (code) {
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
		if (young)
			return KAFKA_FENCED;
		/* fall through */
	default:
		return KAFKA_UNKNOWN;
	}
}

/* A topic that may not be written to fails the transaction when it is added to
 * it, and librdkafka throws all messages away without a reason; to begin
 * another one, which it refuses, tells. */
static void
blame(struct kafka_out *o, struct kafka_post *p, size_t n)
{
	rd_kafka_error_t *e = rd_kafka_begin_transaction(o->k.rk);

	if (e && kafka_own_fault(rd_kafka_error_code(e))) {
		o->faults++;
		snprintf(o->k.err, sizeof(o->k.err), "%s", rd_kafka_error_string(e));
		if (n == 1 && !p->refused) {
			p->failed = true;
			snprintf(p->why, sizeof(p->why), "topic %s: %s", p->msg.topic,
			    rd_kafka_err2str(rd_kafka_error_code(e)));
		}
	}
	if (e)
		rd_kafka_error_destroy(e);
}

/* The transaction's messages and position; true when all were delivered. */
static bool
fill(struct kafka_out *o, struct kafka_post *p, size_t n, const struct kafka_msg *position,
    int64_t since)
{
	o->faults = 0;
	o->broken = false;
	o->batch++;
	for (size_t i = 0; i < n; i++) {
		p[i].failed = p[i].sent = false;
		if (p[i].refused)
			continue;
		kafka_producer_put(o, &p[i].msg, kafka_choose(o, &p[i]), &p[i]);
		o->faults += p[i].refused;
	}
	if (!o->faults && !o->broken)
		kafka_producer_put(o, position, 0, NULL);
	while (o->left && !o->faults && !o->broken && !o->k.fatal &&
	    now_ms() - since < 2 * KAFKA_TXN_MS)
		kafka_producer_reports(o, 100);
	if ((o->left || o->broken) && !o->faults)
		blame(o, p, n);
	return !o->left && !o->faults && !o->broken;
}

enum kafka_txn
kafka_out_txn(struct kafka_out *o, struct kafka_post *p, size_t n, const struct kafka_msg *position)
{
	int64_t since;
	rd_kafka_error_t *e;
	enum kafka_txn r;

	if (o->refused && kafka_out_init(o) < 0)
		return KAFKA_UNKNOWN;
	since = now_ms();
	e = rd_kafka_begin_transaction(o->k.rk);
	if (e)
		return ended(o, e, since);
	if (fill(o, p, n, position, since)) {
		e = persist(o, rd_kafka_commit_transaction, "a commit is not answered");
		return e ? ended(o, e, since) : KAFKA_COMMITTED;
	}
	e = persist(o, rd_kafka_abort_transaction, "an abort is not answered");
	/* Where no partition could be added, a broker knows of no transaction to end. */
	if (e && ((r = ended(o, e, since)) == KAFKA_FENCED || !o->faults))
		return r;
	kafka_producer_reports(o, CALL_MS);
	if (o->left || !o->faults) {
		snprintf(o->k.err, sizeof(o->k.err), "messages were not delivered in time");
		return KAFKA_UNKNOWN;
	}
	/* librdkafka 2.0.2 goes on with sequence numbers that the refused batch
	 * has used up, and the broker refuses those: the client is made anew. */
	o->refused = true;
	return KAFKA_REFUSED;
}
