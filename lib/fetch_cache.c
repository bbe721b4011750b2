#include "fetch_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetch_shelf.h"
#include "json.h"
#include "now.h"
#include "rec.h"

enum {
	BODY_MAX = 4 << 20,     /* bytes of an answer that is kept */
	HEAD_MAX = 4096,
	FRESH_MAX_S = 30 * 24 * 3600,
	SWEEP_EACH = 32,        /* answers, */
	SWEEP_LARGE = 64 << 10  /* and such a part of a larger one counts as one more */
};

int
fetch_cache_open(struct fetch_cache *c, const char *path, uint64_t max)
{
	const size_t size = FETCH_PACES * sizeof *c->pace;
	int fd, e;

	c->max = max ? max : (uint64_t)1 << 30;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	if ((c->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	fd = openat(c->dir, "pace", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* With its room on the disk: writing to it later has no way to say that there is none. */
	if (fd < 0 || (errno = posix_fallocate(fd, 0, (off_t)size)) ||
	    (c->pace = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
		e = errno;
		c->pace = NULL;
		if (fd >= 0)
			close(fd);
		fetch_cache_close(c);
		errno = e;
		return -1;
	}
	close(fd);
	c->stored = (size_t)now_us() % SWEEP_EACH;      /* processes that store little sweep now and then too */
	return 0;
}

void
fetch_cache_close(struct fetch_cache *c)
{
	if (c->pace)
		munmap(c->pace, FETCH_PACES * sizeof *c->pace);
	if (c->dir >= 0)
		close(c->dir);
	c->pace = NULL;
	c->dir = -1;
}

void
fetch_cache_name(char name[SHA256_HEX], const char *url, const char *secret, const char *secret_query,
    const char *header)
{
	static struct buf b;

	b.len = 0;
	buf_addf(&b, "%s\n%s\n%s\n%s", url, secret ? secret : "", secret_query ? secret_query : "", header ? header : "");
	sha256_hex(b.p, b.len, name);
}

/* True when the list of words has this one; *value (may be NULL) gets the number after its "=". */
static bool
says(const char *list, const char *word, int64_t *value)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, ",")) {
		p += strspn(p, ", \t");
		if (strncasecmp(p, word, n) != 0 || (p[n] && !strchr("=, \t", p[n])))
			continue;
		if (value)
			*value = p[n] == '=' ? strtoll(p + n + 1 + (p[n + 1] == '"'), NULL, 10) : 0;
		return true;
	}
	return false;
}

int64_t
fetch_cache_until(const char *control, const char *expires, int64_t age_s, int64_t now)
{
	int64_t age = 0;

	if (says(control, "no-store", NULL))
		return -1;
	if (says(control, "no-cache", NULL))
		return 0;
	if (says(control, "max-age", &age)) {
		age -= age > 0 && age_s > 0 ? age_s : 0;
	} else {
		int64_t at = *expires ? http_date(expires) : 0;

		age = at > now ? at - now : 0;
	}
	return age <= 0 ? 0 : now + (age < FRESH_MAX_S ? age : FRESH_MAX_S);
}

static void
member(struct buf *b, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_addf(b, ",\"%s\":", name);
	json_quotes(b, value);
}

static int
keep(struct fetch_cache *c, const char *name, const struct fetch_kept *k, const struct buf *body)
{
	static struct buf file;
	char sum[SHA256_HEX];

	sha256_hex(body->p ? body->p : "", body->len, sum);
	file.len = 0;
	buf_addf(&file, "{\"sha256\":\"%s\",\"length\":%zu,\"until\":%lld", sum, body->len, (long long)k->until);
	member(&file, "type", k->type);
	member(&file, "etag", k->etag);
	member(&file, "modified", k->modified);
	buf_adds(&file, "}\n");
	if (file.len > HEAD_MAX)
		return 0;
	buf_add(&file, body->p, body->len);
	if (shelf_put(c->dir, name, &file) < 0)
		return -1;
	c->stored += 1 + body->len / SWEEP_LARGE;
	if (c->stored < SWEEP_EACH)
		return 1;
	c->stored = 0;
	return shelf_sweep(c->dir, name, c->max / 256) < 0 ? -1 : 1;
}

int
fetch_cache_put(struct fetch_cache *c, const char *name, const struct http_transfer *t, int64_t now)
{
	struct fetch_kept k = { .until = fetch_cache_until(t->control, t->expires, t->age_s, now) };

	if (t->r->status != 200 || k.until < 0 || t->r->body.len > BODY_MAX || strchr(t->vary, '*') ||
	    (!k.until && !t->etag[0] && !t->modified[0]))
		return 0;
	snprintf(k.etag, sizeof k.etag, "%s", t->etag);
	snprintf(k.modified, sizeof k.modified, "%s", t->modified);
	snprintf(k.type, sizeof k.type, "%s", t->r->type);
	return keep(c, name, &k, &t->r->body);
}

int
fetch_cache_again(struct fetch_cache *c, const char *name, const struct fetch_kept *k,
    const struct http_transfer *t, const struct buf *body, int64_t now)
{
	struct fetch_kept still = *k;

	still.until = fetch_cache_until(t->control, t->expires, t->age_s, now);
	if (still.until == k->until || still.until < 0)
		return 0;
	return keep(c, name, &still, body);
}

/* A string member that fits, or "". */
static void
text(char *out, size_t size, const struct rec *r, const char *name)
{
	static struct buf s;

	s.len = 0;
	*out = 0;
	if (rec_str(rec_get(r, name), &s) == 0 && s.len < size && !memchr(s.p, '\n', s.len) && !memchr(s.p, '\r', s.len))
		snprintf(out, size, "%s", buf_str(&s));
}

int
fetch_cache_get(struct fetch_cache *c, const char *name, struct fetch_kept *k, size_t max, struct buf *body)
{
	static struct buf file;
	static struct rec r;
	char sum[SHA256_HEX];
	uint64_t len, until;
	const char *lf;
	size_t head;

	file.len = 0;
	if (shelf_get(c->dir, name, HEAD_MAX + BODY_MAX, &file) < 0)
		return errno == ENOENT || errno == EFBIG ? 0 : -1;
	lf = file.len ? memchr(file.p, '\n', file.len < HEAD_MAX ? file.len : HEAD_MAX) : NULL;
	head = lf ? (size_t)(lf - file.p) : 0;
	if (!lf || rec_parse(&r, file.p, head) != REC_OK || rec_u64(rec_get(&r, "length"), &len) < 0 ||
	    len != file.len - head - 1 || len > max || rec_u64(rec_get(&r, "until"), &until) < 0)
		return 0;
	sha256_hex(lf + 1, len, sum);
	if (!rec_is(rec_get(&r, "sha256"), sum))
		return 0;
	k->until = until <= (uint64_t)time(NULL) + FRESH_MAX_S ? (int64_t)until : 0;    /* later: by a clock that was wrong */
	text(k->etag, sizeof k->etag, &r, "etag");
	text(k->modified, sizeof k->modified, &r, "modified");
	text(k->type, sizeof k->type, &r, "type");
	body->len = 0;
	buf_add(body, lf + 1, len);
	return 1;
}
