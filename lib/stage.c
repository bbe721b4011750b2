#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "hints.h"
#include "json.h"

enum { WARNINGS = 10, RAW_MAX = 64 << 10, PIPE_SIZE = 512 << 10 };

static void
put(struct stage *s, const char *line, size_t len)
{
	if (s->hint.wanted && s->out.b.len + len + 1 >= s->out.high)
		hints_flush();  /* before the answers that they are about */
	if (out_rec(&s->out, line, len) < 0)
		die_sys(XTEMP, "write stdout");
}

void
stage_error_json(struct buf *out, const char *code, bool retry, unsigned long after_ms,
    const char *message)
{
	buf_adds(out, "{\"stage\":");
	json_quotes(out, err_prog());
	buf_adds(out, ",\"code\":");
	json_quotes(out, code);
	buf_adds(out, ",\"message\":");
	json_quotes(out, message);
	buf_adds(out, retry ? ",\"retry\":true" : ",\"retry\":false");
	if (after_ms)
		buf_addf(out, ",\"after_ms\":%lu", after_ms);
	buf_addc(out, '}');
}

void
stage_bad_json(struct buf *out, const char *line, size_t len, const char *code, const char *message)
{
	buf_adds(out, "{\"error\":");
	stage_error_json(out, code, false, 0, message);
	buf_adds(out, ",\"raw\":\"");
	b64_encode(out, line, len < RAW_MAX ? len : RAW_MAX);
	buf_adds(out, "\"}");
}

static void
bad_line(struct stage *s, const char *line, size_t len, const char *code, const char *message)
{
	if (s->bad++ < WARNINGS)
		warn("bad record: code=%s line=%" PRIu64 ": %s", code, s->seen, message);
	s->work.len = 0;
	stage_bad_json(&s->work, line, len, code, message);
	put(s, s->work.p, s->work.len);
}

static void
bad_record(struct stage *s, const char *line, size_t len, enum rec_status st)
{
	char message[128];

	snprintf(message, sizeof(message), "%s at byte %zu", rec_reason(st), s->rec.at);
	bad_line(s, line, len, rec_code(st), message);
}

static void
too_long(struct stage *s, const char *line, size_t len)
{
	char message[96];

	snprintf(message, sizeof(message), "the record is longer than %zu bytes", s->in.max);
	bad_line(s, line, len, "too_large", message);
}

static int
next(struct stage *s, bool wait)
{
	const char *line;
	size_t len;
	enum rec_status st;

	if (!s->in.flush) {
		/* Only a wish: fewer switches between the stages of a pipeline. */
		(void)fcntl(s->in.fd, F_SETPIPE_SZ, PIPE_SIZE);
		(void)fcntl(s->out.fd, F_SETPIPE_SZ, PIPE_SIZE);
		s->hint.wanted = hints_wanted();
	}
	s->in.flush = &s->out;
	if (s->hint.wanted)
		stage_hint_end(s);
	for (;;) {
		if (s->hint.wanted && !in_buffered(&s->in))
			hints_flush();
		if (!wait && !stage_ready(s))
			return -1;
		switch (in_rec(&s->in, &line, &len)) {
		case IN_REC: break;
		case IN_LONG: s->seen++; too_long(s, line, len); continue;
		case IN_EOF: return 0;
		case IN_TORN:
			s->torn = true;
			return wait ? stage_end(s) : 0;
		case IN_ERR: die_sys(XTEMP, "read stdin");
		case IN_WERR: die_sys(XTEMP, "write stdout");
		}
		s->seen++;
		st = rec_parse(&s->rec, line, len);
		if (st != REC_OK) {
			bad_record(s, line, len, st);
			continue;
		}
		if (s->settles || (!rec_get(&s->rec, "error") && !rec_get(&s->rec, "wait"))) {
			if (s->hint.wanted)
				stage_hint_begin(s);
			return 1;
		}
		stage_pass(s);
	}
}

int
stage_next(struct stage *s)
{
	return next(s, true);
}

int
stage_try(struct stage *s)
{
	return next(s, false);
}

bool
stage_ready(struct stage *s)
{
	struct pollfd fd = { .fd = s->in.fd, .events = POLLIN };

	for (;;) {
		int got;

		if (in_buffered(&s->in))
			return true;
		in_trim(&s->in);
		if (poll(&fd, 1, 0) <= 0)
			return false;
		got = in_fill(&s->in);
		if (got < 0)
			die_sys(XTEMP, "read stdin");
		if (got == 0)
			return true;
	}
}

void
stage_pass(struct stage *s)
{
	s->passed++;
	put(s, s->rec.p, s->rec.len);
}

void
stage_emit(struct stage *s, const char *line, size_t len)
{
	if (len > s->in.max) {
		stage_error(s, "too_large", false, "the output is %zu bytes, the limit is %zu",
		    len, s->in.max);
		return;
	}
	s->passed++;
	put(s, line, len);
}

void
stage_edit(struct stage *s, const struct rec_change *c, size_t n)
{
	s->work.len = 0;
	rec_edit(&s->work, &s->rec, c, n);
	stage_emit(s, s->work.p, s->work.len);
}

void
stage_error_rec(struct stage *s, const struct rec *r, const char *code, bool retry,
    unsigned long after_ms, const char *message)
{
	static struct buf error;

	error.len = 0;
	stage_error_json(&error, code, retry, after_ms, message);
	stage_error_put(s, r, &error);
}

void
stage_error_put(struct stage *s, const struct rec *r, const struct buf *error)
{
	static struct buf line;
	struct rec_change c = { "error", error->p, error->len };

	s->failed++;
	line.len = 0;
	rec_edit(&line, r, &c, 1);
	put(s, line.p, line.len);
}

void
stage_error(struct stage *s, const char *code, bool retry, const char *fmt, ...)
{
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	stage_error_rec(s, &s->rec, code, retry, 0, message);
}

void
stage_flush(struct stage *s)
{
	hints_flush();
	if (out_flush(&s->out) < 0)
		die_sys(XTEMP, "write stdout");
}

int
stage_end(struct stage *s)
{
	stage_flush(s);
	if (s->torn)
		die(XTEMP, "input ends inside a record, without a line feed: seen=%" PRIu64
		    "; if its last line is whole, add one and run again", s->seen);
	info("done: seen=%" PRIu64 " passed=%" PRIu64 " failed=%" PRIu64 " bad=%" PRIu64,
	    s->seen, s->passed, s->failed, s->bad);
	return 0;
}
