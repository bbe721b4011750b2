#include "asked.h"

enum { WHO_MAX = 1024 };

struct asked *
asked_new(struct askeds *q)
{
	struct asked *a = q->spare;

	if (a)
		q->spare = a->next;
	else
		a = mem_zalloc(sizeof(*a));
	a->next = NULL;
	a->probe = a->done = false;
	a->answer.len = a->who.len = 0;
	*(q->tail ? &q->tail->next : &q->head) = a;
	q->tail = a;
	q->n++;
	return a;
}

void
asked_who(struct asked *a, const struct rec *r)
{
	static const char *const names[] = { "job_id", "tenant", NULL };

	a->who.len = 0;
	for (const char *const *name = names; *name; name++) {
		const struct rec_member *m = rec_get(r, *name);

		if (!m || m->type != '"' || m->val_len > WHO_MAX)
			continue;
		buf_addf(&a->who, "\"%s\":", *name);
		buf_add(&a->who, m->val, m->val_len);
		buf_addc(&a->who, ',');
	}
}

void
asked_settle(struct asked *a, const struct buf *admit)
{
	a->done = true;
	a->answer.len = 0;
	if (a->probe) {
		buf_adds(&a->answer, "{\"probe\":true}");
		return;
	}
	buf_addc(&a->answer, '{');
	buf_add(&a->answer, a->who.p, a->who.len);
	buf_adds(&a->answer, "\"admit\":");
	buf_add(&a->answer, admit->p, admit->len);
	buf_addc(&a->answer, '}');
}

void
asked_out(struct askeds *q, struct buf *out)
{
	struct asked *a;

	while ((a = q->head) && a->done) {
		buf_add(out, a->answer.p, a->answer.len);
		buf_addc(out, '\n');
		q->head = a->next;
		if (!q->head)
			q->tail = NULL;
		q->n--;
		a->next = q->spare;
		q->spare = a;
	}
}
