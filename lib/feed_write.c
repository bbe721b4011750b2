#include "feed_int.h"

#include <errno.h>
#include <sys/uio.h>

#include "now.h"

enum { VECTORS = 64 };

/* The next record that may go in; it is then counted as sent. */
static struct slot *
next_to_send(struct feed *f)
{
	struct slot *s = NULL;

	if (f->mode != M_FEEDING || f->stopping || f->alone || f->recycling)
		return NULL;
	if (f->suspects.head) {
		if (f->sent.n)
			return NULL;
		s = f->alone = f->suspects.head;
	} else if (f->queue.head && f->sent.n < f->window) {
		s = f->queue.head;
	}
	if (s) {
		slot_move(f, s, AT_SENT);
		s->sent_at = f->now;
		s->sent_us = now_us();
		f->given++;
		f->recycling |= f->o.recycle && f->given >= f->o.recycle;
		++*f->m.fed;
	}
	return s;
}

bool
feed_wants_write(const struct feed *f)
{
	if (f->filter.in < 0)
		return false;
	if (f->partial)
		return true;
	if (f->mode != M_FEEDING || f->stopping || f->alone || f->recycling)
		return false;
	return f->suspects.head ? f->sent.n == 0 : f->queue.head && f->sent.n < f->window;
}

/* Fills v with the partial record and those that follow it; lines lie in
 * order in the sent list. */
static int
gather(struct feed *f, struct iovec *v)
{
	int n = 0;
	struct slot *s = f->partial;

	if (!s) {
		s = next_to_send(f);
		f->partial_off = 0;
	}
	for (; s && n < VECTORS; s = s->next ? s->next : next_to_send(f)) {
		size_t off = n ? 0 : f->partial_off;

		if (!n)
			f->partial = s;
		v[n++] = (struct iovec){ s->line.p + off, s->line.len - off };
	}
	return n;
}

void
feed_write(struct feed *f)
{
	struct iovec v[VECTORS];
	ssize_t wrote;
	int n = gather(f, v);

	if (!n)
		return;
	wrote = writev(f->filter.in, v, n);
	if (wrote < 0) {
		if (errno != EAGAIN && errno != EINTR)
			filter_close_in(&f->filter);    /* it reads no more: its end tells the rest */
		return;
	}
	while (f->partial && (size_t)wrote >= f->partial->line.len - f->partial_off) {
		wrote -= (ssize_t)(f->partial->line.len - f->partial_off);
		f->partial->written = true;
		f->partial = f->partial->next;
		f->partial_off = 0;
	}
	if (f->partial)
		f->partial_off += (size_t)wrote;
}
