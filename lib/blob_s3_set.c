#include "blob_s3.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arg.h"
#include "http_multi.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int
wrong(const char *setting, const char *why)
{
	blob_because("%s %s", setting, why);
	errno = EINVAL;
	return -1;
}

/* s3://BUCKET[/PREFIX]: nothing in it needs escaping, no part of it is "." or "..". */
static int
place(struct blob_s3 *s, const char *name)
{
	const char *bucket = name + 5;
	size_t n = strspn(bucket, SMALL ".-"), len = strlen(bucket);

	while (len && bucket[len - 1] == '/')
		len--;
	if (n < 3 || n > 63 || (bucket[n] && bucket[n] != '/') || !strchr(SMALL, bucket[0]) || !strchr(SMALL, bucket[n - 1]))
		return wrong("SLUICE_BLOBS", "names no bucket: s3://BUCKET[/PREFIX], BUCKET 3 to 63 of a-z 0-9 . -");
	if (strspn(bucket, SMALL LARGE "._-/") < len || len > 255)
		return wrong("SLUICE_BLOBS", "has a prefix that is none: at most 190 of A-Z a-z 0-9 . _ - and /");
	for (size_t i = n; i < len; i++) {
		size_t part = strcspn(bucket + i + 1, "/");

		if (bucket[i] == '/' && strspn(bucket + i + 1, ".") >= part)
			return wrong("SLUICE_BLOBS", "has a prefix with an empty part, or one of dots");
	}
	snprintf(s->at, sizeof s->at, "/%.*s", (int)len, bucket);
	s->bucket = n + 1;
	return 0;
}

static int
server(struct blob_s3 *s)
{
	const char *url = arg_env("SLUICE_S3_URL", NULL);
	struct http_result r = HTTP_RESULT_INIT;
	char origin[BLOB_S3_ROOT];
	size_t len = url ? strlen(url) : 0;

	if (!url)
		return wrong("SLUICE_S3_URL", "is not set: the store's address, https://HOST[:PORT]");
	while (len && url[len - 1] == '/')
		len--;
	if (len >= sizeof s->root || strspn(url, SMALL LARGE ".:/[]_-") < len || http_origin(url, origin, sizeof origin, &r) < 0)
		return wrong("SLUICE_S3_URL", "is no address of a store: https://HOST[:PORT] or http://HOST[:PORT]");
	snprintf(s->root, sizeof s->root, "%.*s", (int)len, url);
	return 0;
}

/* A line of printable bytes without space; the end of it becomes a NUL. */
static char *
line(char **p)
{
	char *from = *p, *q = from;

	while (*q > ' ' && *q <= '~')
		q++;
	if (q == from || (*q && *q != '\r' && *q != '\n'))
		return NULL;
	*p = q + strspn(q, "\r\n");
	*q = 0;
	return from;
}

static int
keys_of(struct http_store_opts *o, struct buf *keys)
{
	const char *path = arg_env("SLUICE_S3_KEYS", NULL);
	char *p;
	ssize_t n;
	int fd;

	if (!path)
		return wrong("SLUICE_S3_KEYS", "is not set: a file of two lines, access key id and secret key");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		blob_because("SLUICE_S3_KEYS: %.200s: %s", path, strerror(errno));
		errno = EINVAL;
		return -1;
	}
	n = read(fd, buf_room(keys, BLOB_S3_KEYS), BLOB_S3_KEYS - 1);
	close(fd);
	keys->len = n > 0 ? (size_t)n : 0;
	p = buf_str(keys);
	if (n == BLOB_S3_KEYS - 1 || strlen(p) != keys->len || !(o->key = line(&p)) || !(o->secret = line(&p)) || *p || strchr(o->key, ':'))
		return wrong("SLUICE_S3_KEYS", "names a file that is not two lines, access key id and secret key");
	return 0;
}

int
blob_s3_settings(struct blob_s3 *s, const char *name, struct http_store_opts *o, struct buf *keys)
{
	const char *stall = arg_env("SLUICE_S3_TIMEOUT", "30");
	char *end;

	o->region = arg_env("SLUICE_S3_REGION", "us-east-1");
	if (place(s, name) < 0 || server(s) < 0 || keys_of(o, keys) < 0)
		return -1;
	if (strspn(o->region, SMALL LARGE "-_") != strlen(o->region) || strlen(o->region) > 60)
		return wrong("SLUICE_S3_REGION", "is no name of a region");
	o->stall_s = strspn(stall, "0123456789") == strlen(stall) ? strtoul(stall, &end, 10) : 0;
	if (o->stall_s < 1 || o->stall_s > 3600)
		return wrong("SLUICE_S3_TIMEOUT", "is no number of seconds from 1 to 3600");
	return 0;
}
