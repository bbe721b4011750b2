#include "feed_int.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

static struct list *
list_of(struct feed *f, enum where w)
{
	switch (w) {
	case AT_QUEUE: return &f->queue;
	case AT_SUSPECTS: return &f->suspects;
	case AT_SENT: return &f->sent;
	case AT_NONE: break;
	}
	return NULL;
}

void
slot_move(struct feed *f, struct slot *s, enum where to)
{
	struct list *from = list_of(f, s->where), *l = list_of(f, to);

	if (from) {
		*(s->prev ? &s->prev->next : &from->head) = s->next;
		*(s->next ? &s->next->prev : &from->tail) = s->prev;
		from->n--;
	}
	s->where = to;
	s->prev = s->next = NULL;
	if (!l)
		return;
	s->prev = l->tail;
	*(l->tail ? &l->tail->next : &l->head) = s;
	l->tail = s;
	l->n++;
}

void
slot_first(struct feed *f, struct slot *s)
{
	struct slot *was = f->suspects.head;

	if (!was) {
		slot_move(f, s, AT_SUSPECTS);
		return;
	}
	s->where = AT_SUSPECTS;
	s->prev = NULL;
	s->next = was;
	was->prev = f->suspects.head = s;
	f->suspects.n++;
}

static struct slot *
take_spare(struct feed *f)
{
	struct slot *s;

	if (f->nspare)
		return f->spare[--f->nspare];
	s = mem_zalloc(sizeof(*s));
	s->index = (uint32_t)f->nslots;
	f->slots = mem_array(f->slots, f->nslots + 1, sizeof(struct slot *));
	f->spare = mem_array(f->spare, f->nslots + 1, sizeof(struct slot *));
	f->slots[f->nslots++] = s;
	return s;
}

/* Appends one line with the token; f->rec is that line without it. */
static void
add_line(struct feed *f, struct slot *s, const struct rec_change *token, const char *line, size_t len)
{
	enum rec_status st = rec_parse(&f->rec, line, len);

	if (st != REC_OK)
		die(XBUG, "a source offers a line that is no record: %s", rec_reason(st));
	rec_edit(&s->line, &f->rec, token, 1);
	buf_addc(&s->line, '\n');
}

static void
keep_member(struct buf *b, const struct rec_member *m, bool wanted)
{
	b->len = 0;
	if (m && wanted)
		buf_add(b, m->val, m->val_len);
}

static struct slot *
begin(struct feed *f, uint64_t tag)
{
	struct slot *s = take_spare(f);

	s->tag = tag;
	s->written = false;
	s->deaths = 0;
	s->gen++;
	s->line.len = s->parts.len = s->log_head.len = s->log_tail.len = s->log_cut = s->ntimes = s->told.len = 0;
	s->percent = 0;
	s->progress[0] = '\0';
	return s;
}

/* The member that names the slot; its value is b's. */
static struct rec_change
token(const struct feed *f, const struct slot *s, struct buf *b)
{
	b->len = 0;
	buf_adds(b, f->session);
	buf_addn(b, s->index);
	buf_addc(b, '-');
	buf_addn(b, s->gen);
	buf_addc(b, '"');
	return (struct rec_change){ .name = "feed", .val = b->p, .len = b->len };
}

struct slot *
slot_new(struct feed *f, uint64_t tag, const char *line, size_t len)
{
	static struct buf name;
	struct slot *s = begin(f, tag);
	struct rec_change c = token(f, s, &name);
	const struct rec_member *job;
	const char *lf;

	if (f->printing) {
		buf_add(&s->line, line, len);
		f->bytes += len;
		return s;
	}
	while (f->o.nested && (lf = memchr(line, '\n', len))) {
		add_line(f, s, &c, line, (size_t)(lf - line));
		len -= (size_t)(lf + 1 - line);
		line = lf + 1;
	}
	add_line(f, s, &c, line, len);
	job = rec_get(&f->rec, "job_id");
	keep_member(&s->job, job, job && job->type == '"');
	keep_member(&s->outer, rec_get(&f->rec, "feed"), f->o.nested);
	f->bytes += s->line.len;
	return s;
}

struct slot *
slot_edited(struct feed *f, uint64_t tag, const struct rec *r, const struct rec_change *c, size_t n)
{
	static struct buf name;
	struct slot *s = begin(f, tag);
	const struct rec_member *job = rec_get(r, "job_id");
	struct rec_change all[REC_CHANGES];

	if (f->o.nested || f->printing || n >= REC_CHANGES)
		die(XBUG, "feed_put_edited: %zu changes", n);
	keep_member(&s->job, job, job && job->type == '"');
	for (size_t i = 0; i < n; i++) {
		all[i] = c[i];
		if (strcmp(c[i].name, "job_id"))
			continue;
		s->job.len = 0;
		buf_add(&s->job, c[i].val, c[i].len);
	}
	all[n] = token(f, s, &name);
	rec_edit(&s->line, r, all, n + 1);
	buf_addc(&s->line, '\n');
	s->outer.len = 0;
	f->bytes += s->line.len;
	return s;
}

size_t
slot_job(const struct slot *s, const char **p)
{
	if (s->job.len < 2)
		return 0;
	*p = s->job.p + 1;
	return s->job.len - 2;
}

static void
give_back(struct buf *b)
{
	if (b->cap > (1 << 16))         /* keep small buffers, give big ones back */
		buf_free(b);
}

void
slot_free(struct feed *f, struct slot *s)
{
	slot_move(f, s, AT_NONE);
	f->bytes -= s->line.len;
	if (f->oldest == s)
		f->oldest = NULL;
	if (f->partial == s)
		f->partial = NULL;
	give_back(&s->line);
	give_back(&s->parts);
	give_back(&s->log_tail);
	f->spare[f->nspare++] = s;
}

/* Decimal digits up to that byte, and past it. */
static bool
number(const char **p, const char *end, char last, uint32_t *n)
{
	uint64_t v = 0;
	const char *from = *p;

	for (; *p < end && **p >= '0' && **p <= '9' && v <= UINT32_MAX; ++*p)
		v = v * 10 + (uint64_t)(**p - '0');
	*n = (uint32_t)v;
	return *p > from && v <= UINT32_MAX && *p < end && *(*p)++ == last;
}

/* What token() wrote, and nothing else. */
struct slot *
slot_find(struct feed *f, const struct rec_member *token)
{
	const size_t len = sizeof(f->session) - 1;
	const char *p, *end;
	uint32_t index, gen;
	struct slot *s;

	if (!token || token->type != '"' || token->val_len < len || memcmp(token->val, f->session, len) != 0)
		return NULL;
	p = token->val + len;
	end = token->val + token->val_len;
	if (!number(&p, end, '-', &index) || !number(&p, end, '"', &gen) || p != end || index >= f->nslots)
		return NULL;
	s = f->slots[index];
	return s->gen == gen && s->where == AT_SENT && s->written ? s : NULL;
}

void
slots_release(struct feed *f)
{
	for (size_t i = 0; i < f->nslots; i++) {
		struct slot *s = f->slots[i];

		buf_free(&s->line);
		buf_free(&s->job);
		buf_free(&s->outer);
		buf_free(&s->parts);
		buf_free(&s->log_head);
		buf_free(&s->log_tail);
		buf_free(&s->told);
		free(s);
	}
	free(f->slots);
	free(f->spare);
}
