/* ndjson.h - lines in, lines out.
 *
 * A line is handed over without its '\n'. A last line that has no '\n' is
 * torn: whoever wrote it died half-way, so it is reported, never processed.
 * A line over the limit is skipped to its LF and reported; the stream goes
 * on. Functions return a status; they never print and never exit (but see
 * mem.h). Not thread-safe.
 */
#ifndef NDJSON_H
#define NDJSON_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* The limit of a record, SEMANTICS 2: one default for every program. */
#define RECORD_MAX ((size_t)16 << 20)

struct out {
	int fd;
	size_t high;            /* flush when this much is queued */
	struct buf b;
};
#define OUT_INIT(fd) { (fd), (size_t)128 << 10, BUF_INIT }

struct in {
	int fd;
	size_t max;             /* bytes of a line */
	struct out *flush;      /* flushed before a read that may block; may be NULL */
	struct buf b;
	size_t pos, scanned;
	size_t skipped;         /* bytes dropped of the line being skipped */
	int skipping;
};
#define IN_INIT(fd, max, flush) { (fd), (max), (flush), BUF_INIT, 0, 0, 0, 0 }

enum in_status {
	IN_REC,         /* *rec, *len: borrowed from in, valid until the next call */
	IN_LONG,        /* a line over max was skipped; *rec, *len: its first bytes */
	IN_EOF,
	IN_TORN,        /* the input ends inside a line */
	IN_ERR,         /* the read failed: errno */
	IN_WERR         /* the flush failed: errno */
};

/* Next line, blocking. */
enum in_status in_rec(struct in *in, const char **rec, size_t *len);

/* The parts of in_rec for those that may not block: read once into the
 * buffer (1: read, 0: end, -1: errno), and whether a whole line is there. */
int in_fill(struct in *in);
bool in_buffered(struct in *in);
/* Drops what is over the limit of a line that is still coming. */
void in_trim(struct in *in);

/* Queue one line and its '\n', writing when high is passed. 0, or -1 with errno. */
int out_rec(struct out *out, const char *rec, size_t len);

/* Write everything queued. 0, or -1 with errno. Must be checked before
 * exit 0: this is where a full disk shows. */
int out_flush(struct out *out);

/* write(2) until all is written. 0, or -1 with errno. */
int write_all(int fd, const char *p, size_t len);

#endif
