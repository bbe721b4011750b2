#include "feed_int.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 5000, END_MS = 1000, TERM_MS = 2000, ERR_READS = 64 };

static const char probe[] = "{\"job_id\":\"probe\",\"probe\":true,\"error\":{\"stage\":\"feed\","
    "\"code\":\"probe\",\"message\":\"pass this on\",\"retry\":false}}";

void
filter_begin(struct feed *f)
{
	const struct filter_opts o = { f->o.limit, f->o.hints };
	struct slot *s;

	if (filter_start(&f->filter, f->argv, &o) < 0) {
		warn_sys("start %s", f->argv[0]);
		f->verdict = XTEMP;
		return;
	}
	f->answers = (struct in)IN_INIT(f->filter.out, f->o.max, NULL);
	f->hints = (struct in)IN_INIT(f->filter.hints, PIPE_BUF, NULL);
	f->err.len = f->err_line.len = f->given = 0;
	f->end_by = 0;
	f->recycling = false;
	f->death = (struct feed_death){ 0 };
	f->mode = M_PROBING;
	s = slot_new(f, 0, probe, sizeof(probe) - 1);
	slot_move(f, s, AT_SENT);
	f->partial = s;
	f->partial_off = 0;
}

static void
condemn(struct feed *f, struct slot *s, const struct feed_death *why)
{
	++*f->m.guilty;
	f->restarts = 0;        /* the filter works: the backoff is for one that does not */
	f->in_take = f->in_guilty = true;
	f->current = s;
	warn("a record ends the filter while it is alone: %s", why->text);
	feed_check(f, f->src->guilty(f->src->ctx, f, s->tag, why));
	f->current = NULL;
	f->in_take = f->in_guilty = false;
	slot_free(f, s);
}

void
probe_passed(struct feed *f)
{
	struct slot *s = f->accused;

	f->mode = M_FEEDING;
	f->idle_since = f->now;
	if (!f->ready_said && f->o.ready_fd > 0) {
		if (write_all(f->o.ready_fd, "\n", 1) < 0)
			warn_sys("tell readiness");
		close(f->o.ready_fd);
	}
	f->ready_said = true;
	f->accused = NULL;
	f->accused_death.err = f->death_err.p;
	f->accused_death.err_len = f->death_err.len;
	if (s)
		condemn(f, s, &f->accused_death);
}

static void
describe(struct feed *f, const char *progress)
{
	static const char *const why[] = { [FEED_CPU] = "over its CPU time", [FEED_MEMORY] = "over its memory",
	    [FEED_TOO_LARGE] = "its answer is too large", [FEED_CANCELLED] = "cancelled" };
	struct feed_death *d = &f->death;

	d->code = f->filter.code;
	d->signal = f->filter.signal;
	d->timeout = d->why == FEED_TIMEOUT;
	d->rss = d->rss > f->filter.rss ? d->rss : f->filter.rss;
	if (d->timeout)
		snprintf(d->text, sizeof(d->text), "no answer in %lu ms%s%s", f->o.deadline_ms,
		    *progress ? "; the last that it said: " : "", progress);
	else if (d->why)
		snprintf(d->text, sizeof(d->text), "%s", why[d->why]);
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
	f->accused = s;
	f->accused_death = f->death;
	f->death_err.len = 0;
	buf_add(&f->death_err, f->err.p, f->err.len);
}

/* The filter ended on a record that was alone in it. A kill from outside hits
 * once, so what ended of itself must do it twice; what we ended because of the
 * record needs no proof, but for memory that may have leaked before. */
static bool
is_guilty(const struct feed *f, const struct slot *s)
{
	if (!f->alone && f->o.window > 1 && f->death.why != FEED_CANCELLED)
		return false;   /* alone, but not from the start */
	switch (f->death.why) {
	case FEED_ENDED: return s->deaths >= 2;
	case FEED_MEMORY: return s->deaths >= 2 || f->given == 1;
	case FEED_TIMEOUT:
	case FEED_CPU:
	case FEED_TOO_LARGE:
	case FEED_CANCELLED: break;
	}
	return true;
}

/* Sorts those that were in flight. */
static void
judge(struct feed *f)
{
	struct slot *s = f->sent.n == 1 ? f->sent.head : NULL;

	for (struct slot *one = f->sent.head; one; one = one->next) {
		one->written = false;
		one->parts.len = 0;
	}
	if (s) {
		bool guilty = (s->deaths++, is_guilty(f, s));

		f->alone = NULL;
		slot_move(f, s, AT_NONE);
		if (!guilty)
			slot_first(f, s);       /* it is still next */
		else if (f->death.why == FEED_CANCELLED)
			condemn(f, s, &f->death);
		else
			accuse(f, s);
	}
	while (f->sent.head)
		slot_move(f, f->sent.head, AT_SUSPECTS);
}

/* What the filter still said. */
static void
last_of_err(struct feed *f)
{
	for (int i = 0; i < ERR_READS && f->filter.err >= 0; i++)
		feed_read_err(f);
	feed_end_err(f);
}

/* Ends what is left of the filter and decides what comes next. */
void
filter_over(struct feed *f)
{
	unsigned shift = f->restarts < 6 ? f->restarts : 6;
	size_t missing = f->sent.n;
	bool in_peace;

	feed_read_hints(f);
	last_of_err(f);
	describe(f, missing == 1 ? f->sent.head->progress : "");
	in_peace = f->recycling && !missing && !f->death.why;
	filter_finish(&f->filter);
	buf_free(&f->answers.b);
	buf_free(&f->hints.b);
	f->partial = f->oldest = NULL;
	if (f->mode == M_PROBING) {
		slot_free(f, f->sent.head);
		f->mode = M_STOPPED;
		if (!f->stopping)
			probe_failed(f);
		return;
	}
	f->mode = M_STOPPED;
	f->start_at = f->now;
	if (in_peace || f->stopping || (f->source_done && !missing && !f->suspects.n && !f->queue.n))
		return;
	f->killed++;
	++*f->m.deaths;
	warn("the filter ended: %s: unanswered=%zu", f->death.text, missing);
	f->start_at = f->now + ((int64_t)BACKOFF_MS << shift);
	if (f->start_at > f->now + BACKOFF_MAX_MS)
		f->start_at = f->now + BACKOFF_MAX_MS;
	f->restarts++;
	judge(f);
}

void
feed_end_filter(struct feed *f, enum feed_why why)
{
	if (f->mode == M_STOPPED || f->filter.ended || f->death.why)
		return;
	f->death.why = why;
	f->recycling = true;
	filter_kill(&f->filter, why == FEED_CANCELLED ? SIGTERM : SIGKILL);
	f->end_by = f->now + (why == FEED_CANCELLED ? TERM_MS : END_MS);
}

void
feed_recycle(struct feed *f)
{
	f->recycling |= f->mode == M_FEEDING;
}
