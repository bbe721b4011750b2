#include "feed_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "err.h"
#include "metrics.h"

enum {
	WINDOW_MIN = 4, WINDOW_START = 64, RATE_MS = 200,
	TURN_MS = 1000,         /* the longest poll */
	DRAIN_MS = 500,         /* what a filter that has ended may still have in its pipe */
	EOF_MS = 2000           /* how long a filter may live on after its stdout ended */
};
#define BYTES_MAX ((size_t)64 << 20)    /* of lines held, unless it is a single one */

int64_t
feed_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct feed *opened;

struct feed *
feed_open(const struct feed_opts *o)
{
	struct feed *f = mem_zalloc(sizeof(*f));
	sigset_t set;

	if (opened)
		die(XBUG, "a process has one feeder");
	opened = f;
	f->o = *o;
	if (!f->o.window)
		f->o.window = 500;
	if (!f->o.deadline_ms)
		f->o.deadline_ms = 300000;
	if (!f->o.grace_ms)
		f->o.grace_ms = 30000;
	if (!f->o.max)
		f->o.max = RECORD_MAX + 4096;
	f->filter = (struct filter)FILTER_INIT;
	f->verdict = -1;
	f->window = f->o.window < WINDOW_START ? f->o.window : WINDOW_START;
	if (getrandom(&f->session, sizeof(f->session), 0) != sizeof(f->session))
		die_sys(XTEMP, "getrandom");
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die_sys(XTEMP, "block signals");
	f->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->sigfd < 0)
		die_sys(XTEMP, "signalfd");
	return f;
}

int
feed_stopping(const struct feed *f)
{
	return f->stopping;
}

int
feed_full(const struct feed *f)
{
	return f->bytes >= BYTES_MAX;
}

void
feed_free(struct feed *f)
{
	opened = NULL;
	slots_release(f);
	close(f->sigfd);
	rec_free(&f->rec);
	buf_free(&f->answers.b);
	buf_free(&f->err);
	buf_free(&f->line);
	buf_free(&f->death_err);
	free(f);
}

void
feed_put(struct feed *f, uint64_t tag, const char *line, size_t len)
{
	if (!f->in_take)
		die(XBUG, "feed_put outside take and guilty");
	/* One put from guilty has ended a filter before: it goes alone, in its old place. */
	if (f->in_guilty)
		slot_first(f, slot_new(f, tag, line, len));
	else
		slot_move(f, slot_new(f, tag, line, len), AT_QUEUE);
}

static void
read_signals(struct feed *f)
{
	struct signalfd_siginfo si;

	while (read(f->sigfd, &si, sizeof(si)) == sizeof(si)) {
		if (f->stopping)
			continue;
		f->stopping = true;
		f->grace_by = f->now + (int64_t)f->o.grace_ms;
		info("stopping: in_flight=%zu", f->sent.n);
	}
}

static void
take(struct feed *f)
{
	size_t held = f->queue.n + f->sent.n + f->suspects.n;
	int r;

	if (f->stopping || f->source_done || f->mode != M_FEEDING || f->suspects.n || f->alone ||
	    held >= f->window || (held && feed_full(f)))
		return;
	f->in_take = true;
	r = f->src->take(f->src->ctx, f, f->window - held);
	f->in_take = false;
	feed_check(f, r);
	f->source_done |= r == 1;
}

/* The window is what the filter answers in about a second. */
static void
adapt_window(struct feed *f)
{
	size_t rate, least = f->o.window < WINDOW_MIN ? f->o.window : WINDOW_MIN;

	if (f->now - f->rate_at < RATE_MS)
		return;
	rate = f->answered_now * 1000 / (size_t)(f->now - f->rate_at);
	if (f->answered_now || f->sent.n) {
		f->window = rate > f->window / 2 ? rate : f->window / 2;
		if (f->window < least)
			f->window = least;
		if (f->window > f->o.window)
			f->window = f->o.window;
	}
	f->answered_now = 0;
	f->rate_at = f->now;
}

static bool
idle(const struct feed *f)
{
	return !f->queue.n && !f->suspects.n && !f->sent.n && !f->accused;
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
	if (done && f->filter.in >= 0 && !f->partial) {
		filter_close_in(&f->filter);
		if (!f->grace_by)
			f->grace_by = f->now + (int64_t)f->o.grace_ms;
	}
	if (filter_poll_end(&f->filter) && !f->end_by)
		f->end_by = f->now + DRAIN_MS;
	if (f->answers.fd < 0 && !f->end_by)
		f->end_by = f->now + EOF_MS;
	if (f->filter.ended && (f->answers.fd < 0 || f->now >= f->end_by))
		filter_over(f);
	else if (f->end_by && f->now >= f->end_by)
		filter_kill(&f->filter, SIGKILL);
	else if (f->oldest && f->now - f->oldest_since >= (int64_t)f->o.deadline_ms)
		filter_overdue(f);
	else if (f->grace_by && f->now >= f->grace_by)
		filter_kill(&f->filter, SIGKILL);
	else
		feed_nudge(f);
}

static int
wait_ms(const struct feed *f, int wish)
{
	int64_t until = f->now + (wish < TURN_MS ? wish : TURN_MS);

	if (f->mode == M_STOPPED && f->start_at < until)
		until = f->start_at;
	if (f->end_by && f->mode != M_STOPPED && f->end_by < until)
		until = f->end_by;
	if (f->oldest && f->oldest_since + (int64_t)f->o.deadline_ms < until)
		until = f->oldest_since + (int64_t)f->o.deadline_ms;
	return until > f->now ? (int)(until - f->now) : 0;
}

static void
turn(struct feed *f, int wish)
{
	int src_fd = f->src->fd ? f->src->fd(f->src->ctx) : -1;
	bool running = f->mode != M_STOPPED;
	struct pollfd fd[6] = {
		{ .fd = f->sigfd, .events = POLLIN },
		{ .fd = f->stopping || f->source_done ? -1 : src_fd, .events = POLLIN },
		{ .fd = running && feed_wants_write(f) ? f->filter.in : -1, .events = POLLOUT },
		{ .fd = running ? f->answers.fd : -1, .events = POLLIN },
		{ .fd = running ? f->filter.err : -1, .events = POLLIN },
		{ .fd = running && !f->filter.ended ? f->filter.status : -1, .events = POLLIN },
	};

	if (poll(fd, 6, wait_ms(f, wish)) < 0 && errno != EINTR)
		die_sys(XTEMP, "poll");
	f->now = feed_now();
	if (fd[0].revents)
		read_signals(f);
	if (fd[4].revents)
		feed_read_err(f);
	if (fd[3].revents)
		feed_read_answers(f);
	if (fd[2].revents)
		feed_write(f);
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
open_metrics(struct feed *f)
{
	f->m.fed = metrics_value("fed_total");
	f->m.answered = metrics_value("answered_total");
	f->m.guilty = metrics_value("guilty_total");
	f->m.deaths = metrics_value("deaths_total");
	f->m.stray = metrics_value("stray_total");
	f->m.in_flight = metrics_value("in_flight");
	f->m.window = metrics_value("window");
}

static int
run_filter(struct feed *f)
{
	fill_standard_fds();
	f->now = f->start_at = f->rate_at = feed_now();
	while (f->verdict < 0) {
		int wish = TURN_MS;

		on_time(f);
		if (f->verdict < 0)
			take(f);
		if (f->verdict < 0 && f->src->tick)
			feed_check(f, f->src->tick(f->src->ctx, &wish));
		adapt_window(f);
		*f->m.in_flight = f->sent.n;
		*f->m.window = f->window;
		if (f->verdict < 0)
			turn(f, wish);
	}
	filter_finish(&f->filter);
	return f->verdict;
}

int
feed_run(struct feed *f, const struct feed_source *src, char **argv)
{
	int code;

	open_metrics(f);
	f->src = src;
	f->argv = argv;
	code = argv ? run_filter(f) : feed_print(f);
	if (src->finish)
		src->finish(src->ctx);
	info("done: exit=%d stray=%" PRIu64 " deaths=%" PRIu64, code, f->stray, f->killed);
	return code;
}
