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
	if (result < 0 && f->verdict < 0)
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

static void
settle(struct feed *f, struct slot *s)
{
	static const struct rec_change strip = { .name = "feed" };
	uint64_t tag = s->tag;

	f->line.len = 0;
	rec_edit(&f->line, &f->rec, &strip, 1);
	if (f->alone == s)
		f->alone = NULL;
	slot_free(f, s);
	++*f->m.answered;
	f->answered_now++;
	f->restarts = 0;
	feed_check(f, f->src->answer(f->src->ctx, tag, f->line.p, f->line.len));
}

static void
on_line(struct feed *f, const char *line, size_t len)
{
	enum rec_status st = rec_parse(&f->rec, line, len);
	struct slot *s;

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
	if (rec_get(&f->rec, "chunk"))
		return;         /* a part; the job's own line follows */
	if (!same_job(s, rec_get(&f->rec, "job_id"))) {
		stray(f, "its job_id is not the record's", line, len);
		return;
	}
	if (f->mode == M_PROBING) {
		slot_free(f, s);
		probe_passed(f);
		return;
	}
	settle(f, s);
}

void
feed_read_answers(struct feed *f)
{
	const char *line;
	size_t len;

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
