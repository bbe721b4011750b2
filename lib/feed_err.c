/* feed_err.c - the filter's stderr: passed on, and kept with the record it is about. */
#include "feed_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	LOG_HEAD = 16 << 10, LOG_TAIL = 48 << 10,
	LINE_MAX_BYTES = 64 << 10,      /* what is longer without LF is taken as several lines */
	PASS_MAX = 3800                 /* of one line passed on with a label: below PIPE_BUF */
};

static bool
is_end(char c)
{
	return c == ':' || c == ',' || c == ';' || c == '.' || c == ')' || c == ']' || c == '"' || c == '\'';
}

/* 0: the line does not have job=JOB as a word; 2: as guard writes it, with one ':' after. */
static int
names(const char *line, size_t len, const struct slot *s)
{
	const char *job, *p = line, *end = line + len;
	size_t n = slot_job(s, &job);

	while (n && (p = memmem(p, (size_t)(end - p), "job=", 4))) {
		const char *q = p + 4;

		if ((p == line || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", p[-1])) &&
		    (size_t)(end - q) >= n && memcmp(q, job, n) == 0) {
			const char *after = q += n;

			while (q < end && is_end(*q))
				q++;
			if (q == end || *q == ' ' || *q == '\t')
				return q == after + 1 && *after == ':' ? 2 : 1;
		}
		p += 4;
	}
	return 0;
}

/* Whose line it is; NULL when that is not known: "a" and "a:" are both names of
 * jobs, and two tenants may have the same one. */
static struct slot *
owner(struct feed *f, const char *line, size_t len)
{
	struct slot *best = NULL;
	int most = 0, n;

	if (f->mode != M_FEEDING)
		return NULL;
	if (f->sent.n == 1)
		return f->sent.head;
	if (!memmem(line, len, "job=", 4))
		return NULL;
	for (struct slot *s = f->sent.head; s; s = s->next)
		if ((n = names(line, len, s)) && n >= most) {
			best = n > most ? s : NULL;
			most = n;
		}
	return best;
}

static void
keep(struct slot *s, const char *line, size_t len)
{
	size_t room = s->log_head.len < LOG_HEAD ? LOG_HEAD - s->log_head.len : 0;
	size_t first = len < room ? len : room;

	buf_add(&s->log_head, line, first);
	buf_add(&s->log_tail, line + first, len - first);
	if (s->log_tail.len > 2 * LOG_TAIL) {
		s->log_cut += s->log_tail.len - LOG_TAIL;
		buf_shift(&s->log_tail, s->log_tail.len - LOG_TAIL);
	}
}

/* One line, one write. */
static void
pass_on(const struct feed *f, const struct slot *s, const char *line, size_t len)
{
	static struct buf b;
	const char *job;
	size_t n = s ? slot_job(s, &job) : 0;

	do {
		size_t part = len < PASS_MAX ? len : PASS_MAX;

		b.len = 0;
		buf_adds(&b, f->o.label);
		if (n)
			buf_addf(&b, ": job=%.*s", (int)(n < 128 ? n : 128), job);
		buf_adds(&b, ": ");
		buf_add(&b, line, part);
		buf_addc(&b, '\n');
		(void)!write(2, b.p, b.len);
		line += part;
		len -= part;
	} while (len);
}

static void
on_err_line(struct feed *f)
{
	const char *line = f->err_line.p;
	size_t len = f->err_line.len;
	struct slot *s = owner(f, line, len - 1);

	if (s)
		keep(s, line, len);
	if (f->o.label)
		pass_on(f, s, line, len - 1);
	f->err_line.len = 0;
}

void
feed_end_err(struct feed *f)
{
	if (!f->err_line.len)
		return;
	buf_addc(&f->err_line, '\n');
	on_err_line(f);
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
	if (!f->o.label)
		(void)!write(2, part, (size_t)n);
	buf_add(&f->err, part, (size_t)n);
	if (f->err.len > FEED_ERR_TAIL)
		buf_shift(&f->err, f->err.len - FEED_ERR_TAIL);
	for (char *p = part, *end = part + n; p < end; ) {
		char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf + 1 : end;

		buf_add(&f->err_line, p, (size_t)(stop - p));
		if (lf)
			on_err_line(f);
		else if (f->err_line.len >= LINE_MAX_BYTES)
			feed_end_err(f);
		p = stop;
	}
}

const char *
feed_log(struct feed *f, uint64_t tag, size_t *len)
{
	struct slot *s = f->current;
	size_t over;

	if (!s || s->tag != tag || !s->log_head.len)
		return NULL;
	over = s->log_tail.len > LOG_TAIL ? s->log_tail.len - LOG_TAIL : 0;
	f->text.len = 0;
	buf_add(&f->text, s->log_head.p, s->log_head.len);
	if (s->log_cut + over)
		buf_addf(&f->text, "\n... %zu bytes are left out ...\n", s->log_cut + over);
	if (s->log_tail.len)
		buf_add(&f->text, s->log_tail.p + over, s->log_tail.len - over);
	*len = f->text.len;
	return f->text.p;
}
