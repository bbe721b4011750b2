#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "blob_int.h"

static char because[512];       /* or "": errno says it */

int
blob_name(const char *hex, char name[BLOB_NAME])
{
	if (strspn(hex, "0123456789abcdef") != SHA256_HEX - 1 || hex[SHA256_HEX - 1]) {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, BLOB_NAME, "%.2s/%s", hex, hex + 2);
	return 0;
}

int
blob_hex(const char *name, char hex[SHA256_HEX])
{
	char again[BLOB_NAME];

	if (strlen(name) != BLOB_NAME - 1)
		return -1;
	snprintf(hex, SHA256_HEX, "%.2s%s", name, name + 3);
	return blob_name(hex, again) == 0 && strcmp(name, again) == 0 ? 0 : -1;
}

void
blob_because(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(because, sizeof because, fmt, ap);
	va_end(ap);
	for (char *p = because; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	errno = e;
}

const char *
blob_why(void)
{
	return because[0] ? because : strerror(errno);
}

int
blob_open(struct blob *b, const char *name)
{
	because[0] = 0;
	if (strncmp(name, "s3://", 5) == 0)
		b->s3 = blob_s3_open(name);
	else
		b->dir = blob_dir_open(name);
	return blob_is_open(b) ? 0 : -1;
}

void
blob_close(struct blob *b)
{
	if (b->dir >= 0)
		close(b->dir);
	blob_s3_free(b->s3);
	b->dir = -1;
	b->s3 = NULL;
}

bool
blob_is_open(const struct blob *b)
{
	return b->dir >= 0 || b->s3;
}

/* A call begins: true for a name. */
static bool
named(const char *hex)
{
	char name[BLOB_NAME];

	because[0] = 0;
	return blob_name(hex, name) == 0;
}

int
blob_put(struct blob *b, const void *p, size_t len, char hex[SHA256_HEX])
{
	sha256_hex(p, len, hex);
	because[0] = 0;
	return b->s3 ? blob_s3_put(b->s3, p, len, hex) : blob_dir_put(b->dir, p, len, hex);
}

int
blob_get(struct blob *b, const char *hex, size_t max, struct buf *out)
{
	if (!named(hex))
		return -1;
	return b->s3 ? blob_s3_get(b->s3, hex, max, out) : blob_dir_get(b->dir, hex, max, out);
}

bool
blob_has(struct blob *b, const char *hex)
{
	return named(hex) && (b->s3 ? blob_s3_has(b->s3, hex) : blob_dir_has(b->dir, hex));
}

int
blob_file(struct blob *b)
{
	int fd = b->s3 ? open(arg_env("TMPDIR", "/tmp"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
	               : openat(b->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	because[0] = 0;
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	if (!(f = tmpfile()))
		return -1;
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
	fclose(f);
	return fd;
}

int
blob_old(struct blob *b, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx)
{
	because[0] = 0;
	return b->s3 ? blob_s3_old(b->s3, false, before, each, ctx) : blob_dir_old(b->dir, before, each, ctx);
}

int
blob_aside(struct blob *b, int64_t before, void (*each)(void *ctx, const char *hex), void *ctx)
{
	because[0] = 0;
	return b->s3 ? blob_s3_old(b->s3, true, before, each, ctx) : 0;
}

int
blob_drop(struct blob *b, const char *hex, int64_t before)
{
	if (!named(hex))
		return -1;
	return b->s3 ? blob_s3_drop(b->s3, false, hex, before) : blob_dir_drop(b->dir, hex, before);
}

int
blob_forget(struct blob *b, const char *hex, int64_t before)
{
	if (!named(hex))
		return -1;
	return b->s3 ? blob_s3_drop(b->s3, true, hex, before) : BLOB_NONE;
}

int
blob_drop_temps(struct blob *b, int64_t before)
{
	because[0] = 0;
	return b->s3 ? 0 : blob_dir_drop_temps(b->dir, before);
}
