#include "ndjson.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LONG_SAMPLE = 256, READ_SIZE = 256 << 10 };

int
write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
out_flush(struct out *out)
{
	size_t len = out->b.len;

	out->b.len = 0;
	return write_all(out->fd, out->b.p, len);
}

int
out_rec(struct out *out, const char *rec, size_t len)
{
	buf_room(&out->b, len + 1);
	buf_add(&out->b, rec, len);
	buf_addc(&out->b, '\n');
	return out->b.len >= out->high ? out_flush(out) : 0;
}

int
in_fill(struct in *in)
{
	ssize_t n;

	if (in->pos) {
		in->scanned -= in->pos;
		buf_shift(&in->b, in->pos);
		in->pos = 0;
	}
	buf_room(&in->b, READ_SIZE);
	do
		n = read(in->fd, in->b.p + in->b.len, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	in->b.len += (size_t)n;
	return 1;
}

bool
in_buffered(struct in *in)
{
	if (in->scanned < in->b.len &&
	    memchr(in->b.p + in->scanned, '\n', in->b.len - in->scanned))
		return true;
	in->scanned = in->b.len;
	return false;
}

void
in_trim(struct in *in)
{
	if (in->b.len - in->pos <= in->max)
		return;
	in->skipping = 1;       /* keep the first bytes, drop the rest */
	in->skipped = LONG_SAMPLE < in->max ? LONG_SAMPLE : in->max;
	in->b.len = in->scanned = in->pos + in->skipped;
}

/* One line, or what is known so far to be over the limit. 1: *rec is set. */
static int
next_line(struct in *in, const char **rec, size_t *len)
{
	const char *nl = in->scanned < in->b.len ?
	    memchr(in->b.p + in->scanned, '\n', in->b.len - in->scanned) : NULL;

	if (!nl) {
		in->scanned = in->b.len;
		return 0;
	}
	*rec = in->b.p + in->pos;
	*len = (size_t)(nl - *rec);
	in->pos = in->scanned = (size_t)(nl - in->b.p) + 1;
	return 1;
}

enum in_status
in_rec(struct in *in, const char **rec, size_t *len)
{
	for (;;) {
		int got;

		if (next_line(in, rec, len)) {
			if (in->skipping) {
				in->skipping = 0;
				*len = in->skipped < *len ? in->skipped : *len;
				return IN_LONG;
			}
			if (*len <= in->max)
				return IN_REC;
			*len = LONG_SAMPLE < in->max ? LONG_SAMPLE : in->max;
			return IN_LONG;
		}
		in_trim(in);
		if (in->flush && in->flush->b.len && out_flush(in->flush) < 0)
			return IN_WERR;
		got = in_fill(in);
		if (got < 0)
			return IN_ERR;
		if (got == 0)
			return in->b.len > in->pos ? IN_TORN : IN_EOF;
	}
}
