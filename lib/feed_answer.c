#include "feed_int.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "err.h"
#include "json.h"

enum { LINES_A_TURN = 4096, WARNINGS = 10 };

void
feed_check(struct feed *f, int result)
{
	if (result < 0 && f->verdict <= 0)
		f->verdict = result == -100 ? XPERM : XTEMP;
}

static void
stray(struct feed *f, const char *why, const char *line, size_t len)
{
	++*f->m.stray;
	if (f->stray++ < WARNINGS)
		warn("the filter's line is ignored: %s: %.*s", why, (int)(len < 200 ? len : 200), line);
}

/* A stage may re-escape job_id; it may not change it. */
static bool
same_job(const struct slot *s, const struct rec_member *m)
{
	static struct buf a, b;

	if (!s->job.len)
		return true;
	if (m && m->val_len == s->job.len && memcmp(m->val, s->job.p, s->job.len) == 0)
		return true;
	a.len = b.len = 0;
	json_unescape(&a, s->job.p + 1, s->job.len - 2);
	return rec_str(m, &b) == 0 && a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* The line as its source knows it: without our token, with the outer one. */
static void
restore(struct feed *f, const struct slot *s, struct buf *to)
{
	struct rec_change c = { "feed", s->outer.len ? s->outer.p : NULL, s->outer.len };

	rec_edit(to, &f->rec, &c, 1);
}

static int
tell(struct feed *f, const struct slot *s)
{
	if (f->src->answered)
		return f->src->answered(f->src->ctx, s->tag, &f->rec);
	f->line.len = 0;
	buf_add(&f->line, s->parts.p, s->parts.len);
	restore(f, s, &f->line);
	return f->src->answer(f->src->ctx, s->tag, f->line.p, f->line.len);
}

static void
settle(struct feed *f, struct slot *s)
{
	if (f->alone == s)
		f->alone = NULL;
	feed_took(f, s);
	slot_move(f, s, AT_NONE);
	++*f->m.answered;
	metrics_observe(f->m.answer, (uint64_t)(f->now - s->sent_at) * 1000);
	feed_observe(s);
	feed_learn(f, s);
	f->answered_now++;
	f->restarts = 0;
	f->current = s;
	feed_check(f, tell(f, s));
	f->current = NULL;
	slot_free(f, s);
}

/* A part of a job; its own line follows. */
static void
on_part(struct feed *f, struct slot *s)
{
	if (!f->o.nested || f->mode != M_FEEDING)
		return;
	if (f->o.parts_max && s->parts.len + f->rec.len > f->o.parts_max) {
		feed_end_filter(f, FEED_TOO_LARGE);
		return;
	}
	restore(f, s, &s->parts);
	buf_addc(&s->parts, '\n');
}

static void
on_line(struct feed *f, const char *line, size_t len)
{
	enum rec_status st;
	struct slot *s;

	if (f->death.why == FEED_TOO_LARGE)
		return;         /* what would follow lacks a part */
	st = rec_parse(&f->rec, line, len);
	if (st != REC_OK) {
		stray(f, rec_reason(st), line, len);
		return;
	}
	if (feed_is_nudge(rec_get(&f->rec, "feed")))
		return;
	s = slot_find(f, rec_get(&f->rec, "feed"));
	if (!s) {
		stray(f, "its feed names no record in flight", line, len);
		return;
	}
	if (!same_job(s, rec_get(&f->rec, "job_id"))) {
		stray(f, "its job_id is not the record's", line, len);
		return;
	}
	if (rec_get(&f->rec, "chunk"))
		on_part(f, s);
	else if (f->mode == M_PROBING) {
		slot_free(f, s);
		probe_passed(f);
	} else {
		settle(f, s);
	}
}

void
feed_read_answers(struct feed *f)
{
	const char *line;
	size_t len;

	/* What was said before an answer belongs to its record. */
	if (f->filter.err >= 0)
		feed_read_err(f);
	feed_read_hints(f);
	for (int i = 0; i < LINES_A_TURN && f->verdict < 0; i++)
		switch (in_rec(&f->answers, &line, &len)) {
		case IN_REC: on_line(f, line, len); break;
		case IN_LONG: stray(f, "it is over the limit", line, len); break;
		case IN_ERR:
			if (errno == EAGAIN)
				return;
			warn_sys("read the filter");
			/* fall through */
		case IN_EOF:
		case IN_TORN:   /* whoever wrote half a line is dead: its record was not answered */
		case IN_WERR:
			f->answers.fd = -1;
			return;
		}
}
