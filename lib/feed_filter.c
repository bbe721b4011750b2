#include "feed_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "err.h"

enum { VECTORS = 64, BACKOFF_MS = 100, BACKOFF_MAX_MS = 5000, END_MS = 1000 };

static const char probe[] = "{\"job_id\":\"probe\",\"probe\":true,\"error\":{\"stage\":\"feed\","
    "\"code\":\"probe\",\"message\":\"pass this on\",\"retry\":false}}";

void
filter_begin(struct feed *f)
{
	struct slot *s;

	if (filter_start(&f->filter, f->argv) < 0) {
		warn_sys("start %s", f->argv[0]);
		f->verdict = XTEMP;
		return;
	}
	f->answers = (struct in)IN_INIT(f->filter.out, f->o.max, NULL);
	f->err.len = 0;
	f->end_by = 0;
	f->death.timeout = 0;
	f->mode = M_PROBING;
	s = slot_new(f, 0, probe, sizeof(probe) - 1);
	slot_move(f, s, AT_SENT);
	f->partial = s;
	f->partial_off = 0;
}

void
probe_passed(struct feed *f)
{
	struct slot *s = f->accused;

	f->mode = M_FEEDING;
	if (!f->ready_said && f->o.ready_fd > 0) {
		if (write_all(f->o.ready_fd, "\n", 1) < 0)
			warn_sys("tell readiness");
		close(f->o.ready_fd);
	}
	f->ready_said = true;
	if (!s)
		return;
	++*f->m.guilty;
	f->accused = NULL;
	f->in_take = f->in_guilty = true;
	f->accused_death.err = f->death_err.p;
	f->accused_death.err_len = f->death_err.len;
	warn("a record ends the filter while it is alone: %s", f->accused_death.text);
	feed_check(f, f->src->guilty(f->src->ctx, f, s->tag, &f->accused_death));
	f->in_take = f->in_guilty = false;
	slot_free(f, s);
}

static void
describe(struct feed *f)
{
	struct feed_death *d = &f->death;

	d->code = f->filter.code;
	d->signal = f->filter.signal;
	if (d->timeout)
		snprintf(d->text, sizeof(d->text), "no answer in %lu ms", f->o.deadline_ms);
	else if (d->signal)
		snprintf(d->text, sizeof(d->text), "signal %d", d->signal);
	else
		snprintf(d->text, sizeof(d->text), "exit %d without an answer", d->code);
}

/* The last whole line that the filter said, for our own message. */
static int
last_words(const struct feed *f, const char **p)
{
	size_t end = f->err.len, from;

	while (end && f->err.p[end - 1] == '\n')
		end--;
	for (from = end; from && f->err.p[from - 1] != '\n'; from--)
		;
	*p = f->err.p ? f->err.p + from : "";
	return (int)(end - from < 500 ? end - from : 500);
}

static void
probe_failed(struct feed *f)
{
	const char *said;
	int n = last_words(f, &said);

	warn("even a probe does not pass the filter %s: %s%s%.*s%s", f->argv[0], f->death.text,
	    n ? ": its last words: " : "", n, said, f->death.timeout && !n ?
	    ": does a stage hold back its output until more input comes?" : "");
	f->verdict = f->death.code == XPERM && !f->death.timeout ? XPERM : XTEMP;
}

static void
accuse(struct feed *f, struct slot *s)
{
	slot_move(f, s, AT_NONE);
	s->written = false;
	f->accused = s;
	f->accused_death = f->death;
	f->death_err.len = 0;
	buf_add(&f->death_err, f->err.p, f->err.len);
}

/* Ends what is left of the filter and sorts those that were in flight. */
void
filter_over(struct feed *f)
{
	unsigned shift = f->restarts < 6 ? f->restarts : 6;
	size_t missing = f->sent.n;

	describe(f);
	filter_finish(&f->filter);
	buf_free(&f->answers.b);
	f->partial = f->oldest = NULL;
	if (f->mode == M_PROBING) {
		slot_free(f, f->sent.head);
		f->mode = M_STOPPED;
		if (!f->stopping)
			probe_failed(f);
		return;
	}
	f->mode = M_STOPPED;
	if (f->stopping || (f->source_done && !missing && !f->suspects.n && !f->queue.n))
		return;
	f->killed++;
	++*f->m.deaths;
	warn("the filter ended: %s: unanswered=%zu", f->death.text, missing);
	if (f->alone) {
		accuse(f, f->alone);
		f->alone = NULL;
	}
	while (f->sent.head) {
		f->sent.head->written = false;
		slot_move(f, f->sent.head, AT_SUSPECTS);
	}
	f->start_at = f->now + ((int64_t)BACKOFF_MS << shift);
	if (f->start_at > f->now + BACKOFF_MAX_MS)
		f->start_at = f->now + BACKOFF_MAX_MS;
	f->restarts++;
}

void
filter_overdue(struct feed *f)
{
	if (f->filter.ended)
		return;
	f->death.timeout = 1;
	filter_kill(&f->filter, SIGKILL);
	f->end_by = f->now + END_MS;
	f->oldest_since = f->now;
}

/* The next record that may go in; it is then counted as sent. */
static struct slot *
next_to_send(struct feed *f)
{
	struct slot *s = NULL;

	if (f->mode != M_FEEDING || f->stopping || f->alone)
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
	if (f->mode != M_FEEDING || f->stopping || f->alone)
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

void
feed_read_err(struct feed *f)
{
	char part[65536];
	ssize_t n = read(f->filter.err, part, sizeof(part));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(f->filter.err);
		f->filter.err = -1;
		return;
	}
	(void)!write(2, part, (size_t)n);
	buf_add(&f->err, part, (size_t)n);
	if (f->err.len > FEED_ERR_TAIL)
		buf_shift(&f->err, f->err.len - FEED_ERR_TAIL);
}
