/* What was said of the topic that an entry comes from. */
#include "admission.h"

#include <string.h>

#include "header.h"
#include "now.h"

enum { PLACES = 1024 };

static const char place_sql[] = "select src, kind, tenant, pipeline from sluice.source_read($1,$2,$3)";
/* Of the topic on which a dead letter came, not of the one that it is fed from. */
static const char dead_sql[] = "select d.topic, t.pipeline from sluice.dead_letter d left join sluice.topic_setting t using (topic)"
    " where d.no = $1";

/* What is known of a partition, for a while. */
struct place {
	struct buf name, kind, tenant, pipeline;
	int64_t at_ms;
	int32_t src;
	bool met;               /* a record of it came */
};
static struct place places[PLACES];
static size_t places_n;
static struct pg_args args;

static struct place *
find(const struct entry *q)
{
	static struct buf whole;
	const struct buf *name = &whole;

	whole.len = 0;
	buf_addf(&whole, "%s\n%s\n%u", q->cluster.p, q->topic.p, (unsigned)q->part);
	for (size_t i = 0; i < places_n; i++)
		if (places[i].name.len == name->len && !memcmp(places[i].name.p, name->p, name->len))
			return &places[i];
	if (places_n == PLACES)         /* forget them all: they are only remembered */
		places_n = 0;
	places[places_n].name.len = 0;
	buf_add(&places[places_n].name, name->p, name->len);
	places[places_n].at_ms = -ADMISSION_STALE_MS;
	places[places_n].met = false;
	return &places[places_n++];
}

static void
keep(struct pg *db, int col, struct buf *b)
{
	size_t len;
	const char *p = pg_bytes(db, 0, col, &len);

	b->len = 0;
	buf_add(b, p, len);
	buf_str(b);
}

static enum pg_status
look_up(struct pg *db, const struct entry *q, struct place *p)
{
	enum pg_status st;
	int a[3];

	pg_args_reset(&args);
	a[0] = pg_scalar(&args, PG_TEXT);
	a[1] = pg_scalar(&args, PG_TEXT);
	a[2] = pg_scalar(&args, PG_INT4);
	pg_put(&args, a[0], q->cluster.p, q->cluster.len);
	pg_put(&args, a[1], q->topic.p, q->topic.len);
	pg_put_i64(&args, a[2], (int64_t)q->part);
	st = pg_call_again(db, place_sql, &args);
	if (st != PG_OK)
		return st;
	p->src = (int32_t)pg_i64(db, 0, 0);
	keep(db, 1, &p->kind);
	keep(db, 2, &p->tenant);
	keep(db, 3, &p->pipeline);
	p->at_ms = now_ms();
	return PG_OK;
}

/* A mended dead letter goes, if it names no pipeline, where its topic's requests go. */
static enum pg_status
mended_pipeline(struct pg *db, const struct entry *q, struct entry_said *said)
{
	static struct buf topic, pipeline;
	enum pg_status st;

	pg_args_reset(&args);
	pg_put_i64(&args, pg_scalar(&args, PG_INT8), (int64_t)q->dead);
	st = pg_call_again(db, dead_sql, &args);
	if (st != PG_OK || !pg_rows(db))
		return st;
	keep(db, 0, &topic);
	keep(db, 1, &pipeline);
	said->pipeline = pipeline.len ? pipeline.p : NULL;
	if (!said->pipeline && said->pipelines)
		said->pipeline = header_pipeline(said->pipelines, topic.p);
	return PG_OK;
}

static bool
stale(const struct place *p)
{
	return now_ms() - p->at_ms >= ADMISSION_STALE_MS;
}

bool
admission_asks(struct entry *q)
{
	return q->asks = q->mends || (q->has_source && stale(find(q)));
}

enum pg_status
admission_columns(struct pg *db, struct entry *q, const struct entry_said *base)
{
	struct entry_said said = *base;
	struct place *p;
	enum pg_status st;

	if (!q->has_source) {
		st = q->mends ? mended_pipeline(db, q, &said) : PG_OK;
		if (st == PG_OK)
			entry_columns(q, &said);
		return st;
	}
	p = find(q);
	if (q->asks && (st = look_up(db, q, p)) != PG_OK)
		return st;
	q->src = p->src;
	q->first = !p->met;
	p->met = true;
	said.kind = p->kind.len ? p->kind.p : NULL;
	said.tenant = p->tenant.len ? p->tenant.p : NULL;
	said.pipeline = p->pipeline.len ? p->pipeline.p : NULL;
	if (!said.pipeline && base->pipelines)
		said.pipeline = header_pipeline(base->pipelines, buf_str(&q->topic));
	entry_columns(q, &said);
	return PG_OK;
}
