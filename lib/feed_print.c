#include "feed_int.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "err.h"

/* The feeder without a filter: records go to stdout as they are, and each
 * counts as answered once it is written. */

static int
print_queued(struct feed *f)
{
	static struct out out = OUT_INIT(1);

	for (struct slot *s = f->queue.head; s; s = s->next)
		if (out_rec(&out, s->line.p, s->line.len) < 0)
			return -1;
	if (out_flush(&out) < 0)
		return -1;
	while (f->queue.head) {
		struct slot *s = f->queue.head;

		feed_check(f, f->src->answered ? f->src->answered(f->src->ctx, s->tag, NULL)
		    : f->src->answer(f->src->ctx, s->tag, s->line.p, s->line.len));
		slot_free(f, s);
	}
	return 0;
}

int
feed_print(struct feed *f)
{
	f->printing = true;
	while (f->verdict < 0) {
		struct pollfd fd[2] = { { .fd = feed_signals(), .events = POLLIN }, { .fd = -1, .events = POLLIN } };
		int wish = 200, r;
		bool had;

		f->in_take = true;
		r = f->src->take(f->src->ctx, f, f->o.window);
		f->in_take = false;
		feed_check(f, r);
		had = f->queue.n > 0;
		if (print_queued(f) < 0) {
			if (errno != EPIPE)
				warn_sys("write stdout");
			return errno == EPIPE ? 0 : XTEMP;      /* head(1) has seen enough */
		}
		if (r == 1)
			return 0;
		if (f->verdict < 0 && f->src->tick)
			feed_check(f, f->src->tick(f->src->ctx, &wish));
		fd[1].fd = f->src->fd ? f->src->fd(f->src->ctx) : -1;
		if (f->verdict < 0 && poll(fd, 2, had ? 0 : wish < 200 ? wish : 200) > 0 && fd[0].revents)
			return 0;
	}
	return f->verdict;
}
