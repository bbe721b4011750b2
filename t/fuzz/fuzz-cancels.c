/* fuzz-cancels - any bytes as a file of cancelled attempts, growing in two
 * steps: what is found is a whole line of it, and what was added is found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancels.h"
#include "ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file's lines, read the slow way. */
static bool
holds(const uint8_t *data, size_t size, const char *want)
{
	size_t len = strlen(want), from = 0;

	for (size_t i = 0; i < size; i++)
		if (data[i] == '\n') {
			if (i - from == len && memcmp(data + from, want, len) == 0)
				return true;
			from = i + 1;
		}
	return false;
}

static void
put(int fd, const uint8_t *p, size_t n)
{
	if (n && write_all(fd, (const char *)p, n) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct cancels c;
	size_t half = size ? data[0] % size : 0;

	snprintf(path, sizeof(path), "/dev/shm/fuzz-cancels.%d", getpid());
	unlink(path);
	cancels_open(&c, path);
	if (cancels_look(&c) != 0 || cancels_add(&c, "first", 5, 1) < 0)
		abort();
	put(c.fd, data, half);
	cancels_look(&c);
	if (!cancels_has(&c, "first", 5, 1))
		abort();
	put(c.fd, data + half, size - half);
	cancels_look(&c);
	if (cancels_has(&c, "j", 1, 2) != holds(data, size, "j 2") || !cancels_has(&c, "first", 5, 1))
		abort();
	cancels_release(&c);
	unlink(path);
	return 0;
}
