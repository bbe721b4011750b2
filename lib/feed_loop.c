#include "feed_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "leftover.h"
#include "now.h"

enum {
	TURN_MS = 1000,         /* the longest poll */
	DRAIN_MS = 500,         /* what a filter that has ended may still have in its pipe */
	END_MS = 1000,          /* for a filter that was killed to end */
	EOF_MS = 2000,          /* how long a filter may live on after its stdout ended */
	EMPTY_MS = 5000,        /* how long one stage with nothing in it may live on after its stdin ended */
	START_MS = 30000,       /* for one stage to start, however little time a record has */
	FDS = 8                 /* of one feed in poll, see watch */
};

static bool
idle(const struct feed *f)
{
	return !f->queue.n && !f->suspects.n && !f->sent.n && !f->accused;
}

/* A pipeline may have something to finish, a stage without a record has not. */
int64_t
feed_grace(const struct feed *f)
{
	return f->o.nested && !f->sent.n ? EMPTY_MS : (int64_t)f->o.grace_ms;
}

/* It ends once it has read what it has. */
static void
close_in(struct feed *f)
{
	filter_close_in(&f->filter);
	if (f->recycling && !f->sent.n && !f->end_by)
		f->end_by = f->now + EMPTY_MS;
	else if (!f->grace_by && !f->recycling)
		f->grace_by = f->now + feed_grace(f);
}

static void
kill_it(struct feed *f)
{
	filter_kill(&f->filter, SIGKILL);
	f->end_by = f->now + END_MS;
}

static int64_t
deadline(const struct feed *f)
{
	int64_t ms = (int64_t)f->o.deadline_ms;

	if (f->o.nested && f->mode == M_PROBING && ms < START_MS)
		ms = START_MS;
	return f->oldest_since + ms;
}

/* What time demands: starts, deadlines, the end of ends. */
static void
on_time(struct feed *f)
{
	bool done = f->stopping || (f->source_done && idle(f));

	if (f->mode == M_STOPPED) {
		if (done)
			f->verdict = 0;
		else if (f->now >= f->start_at)
			filter_begin(f);
		return;
	}
	if (f->sent.head != f->oldest) {
		f->oldest = f->sent.head;
		f->oldest_since = f->now;
	}
	if (f->sent.head)
		f->idle_since = f->now;
	if ((done || (f->recycling && !f->sent.n)) && f->filter.in >= 0 && !f->partial)
		close_in(f);
	if (filter_poll_end(&f->filter) && (!f->end_by || f->end_by > f->now + DRAIN_MS))
		f->end_by = f->now + DRAIN_MS;
	if (f->answers.fd < 0 && !f->end_by)
		f->end_by = f->now + EOF_MS;
	if (f->filter.ended && (f->answers.fd < 0 || f->now >= f->end_by))
		filter_over(f);
	else if (f->end_by && f->now >= f->end_by)
		kill_it(f);
	else if (f->oldest && !f->end_by && f->now >= deadline(f))
		feed_end_filter(f, FEED_TIMEOUT);
	else if (f->grace_by && !f->end_by && f->now >= f->grace_by)
		kill_it(f);
	else
		feed_nudge(f);
}

/* When on_time has something to do, at the latest. */
static int64_t
next_time(const struct feed *f)
{
	int64_t until = f->now + TURN_MS;

	if (f->mode == M_STOPPED)
		return f->start_at < until ? f->start_at : until;
	if (f->end_by)
		return f->end_by < until ? f->end_by : until;
	if (f->grace_by && f->grace_by < until)
		until = f->grace_by;
	if (f->oldest && deadline(f) < until)
		until = deadline(f);
	return until;
}

static void
watch(struct feed *f, struct pollfd *fd)
{
	bool running = f->mode != M_STOPPED, more = feed_may_take(f);    /* else it would stay readable */
	void *ctx = f->src->ctx;
	const struct pollfd fds[FDS] = {
		{ .fd = more && f->src->fd ? f->src->fd(ctx) : -1, .events = POLLIN },
		{ .fd = f->src->fd_out ? f->src->fd_out(ctx) : -1, .events = POLLOUT },
		{ .fd = running && feed_wants_write(f) ? f->filter.in : -1, .events = POLLOUT },
		{ .fd = running ? f->answers.fd : -1, .events = POLLIN },
		{ .fd = running ? f->filter.err : -1, .events = POLLIN },
		{ .fd = running && !f->filter.ended ? f->filter.status : -1, .events = POLLIN },
		{ .fd = f->src->fd_tick ? f->src->fd_tick(ctx, 0) : -1, .events = POLLIN },
		{ .fd = f->src->fd_tick ? f->src->fd_tick(ctx, 1) : -1, .events = POLLIN },
	};

	memcpy(fd, fds, sizeof(fds));
}

static void
serve(struct feed *f, const struct pollfd *fd)
{
	if (fd[3].revents)
		feed_read_answers(f);
	if (fd[4].revents && f->filter.err >= 0)
		feed_read_err(f);
	if (fd[2].revents)
		feed_write(f);
}

static void
turn(struct feed **f, size_t n, int wish)
{
	static struct pollfd *fd;
	static size_t room;
	int64_t now = f[0]->now, until = now + wish;

	if (room < n) {
		fd = mem_array(fd, 1 + n * FDS, sizeof(*fd));
		room = n;
	}
	fd[0] = (struct pollfd){ .fd = feed_signals(), .events = POLLIN };
	for (size_t i = 0; i < n; i++) {
		int64_t next = next_time(f[i]);

		watch(f[i], fd + 1 + i * FDS);
		until = next < until ? next : until;
	}
	if (poll(fd, 1 + n * FDS, until > now ? (int)(until - now) : 0) < 0) {
		if (errno != EINTR)
			die_sys(XTEMP, "poll");
		return;
	}
	now = now_ms();
	for (size_t i = 0; i < n; i++)
		f[i]->now = now;
	if (fd[0].revents)
		feed_read_signals(f, n);
	for (size_t i = 0; i < n; i++)
		serve(f[i], fd + 1 + i * FDS);
}

/* The filter's pipes must not get the numbers 0 to 2. */
static void
fill_standard_fds(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= 2)
		;
	if (fd > 2)
		close(fd);
}

static void
show(struct feed *f)
{
	*f->m.in_flight += f->sent.n - f->m.in_flight_said;
	*f->m.window += f->window - f->m.window_said;
	f->m.in_flight_said = f->sent.n;
	f->m.window_said = f->window;
}

/* One turn of one feed but for its pipes. -1: it goes on; else its end. One that has
 * ended ticks on beside others: what they share may be in its hands. */
static int
step(struct feed *f, int *wish)
{
	int wait_ms = TURN_MS;
	bool had_ended = f->source_done;

	if (f->verdict > 0)
		return f->verdict;
	if (f->verdict < 0)
		on_time(f);
	if (f->verdict < 0)
		feed_take(f);
	if (f->source_done != had_ended)
		*wish = 0;      /* what follows from that is on_time's */
	if (f->src->tick) {
		f->in_take = true;
		feed_check(f, f->src->tick(f->src->ctx, &wait_ms));
		f->in_take = false;
	}
	*wish = wait_ms < *wish ? wait_ms : *wish;
	feed_adapt(f);
	show(f);
	return f->verdict;
}

int
feed_loop(struct feed **f, size_t n)
{
	size_t ended = 0;
	int code = 0, left = f[0]->o.nested ? 0 : leftover_end();

	if (left)
		info("ended what a dead feeder left: processes=%d", left);
	fill_standard_fds();
	for (size_t i = 0; i < n; i++)
		f[i]->now = f[i]->start_at = f[i]->rate_at = now_ms();
	while (ended < n && code == 0) {
		int wish = TURN_MS;

		ended = 0;
		for (size_t i = 0; i < n && code == 0; i++) {
			int r = step(f[i], &wish);

			ended += r >= 0;
			code = r > 0 ? r : 0;
		}
		if (ended < n && code == 0)
			turn(f, n, wish);
	}
	for (size_t i = 0; i < n; i++)
		filter_finish(&f[i]->filter);
	return code;
}
