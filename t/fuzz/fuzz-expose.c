/* fuzz-expose - any bytes as a program's file of numbers: what is told of it
 * is lines that Prometheus takes for comments or samples. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expose.h"
#include "metrics.h"
#include "ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *p, size_t len)
{
	if (!len || memchr(p, '\0', len))
		abort();
	if (*p != '#' && !memchr(p, ' ', len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct metrics_file f;
	static struct buf out;
	char folder[64], file[96];
	int fd;

	snprintf(folder, sizeof(folder), "/dev/shm/fuzz-expose.%d", getpid());
	snprintf(file, sizeof(file), "%s/prog.1", folder);
	mkdir(folder, 0700);
	memset(&f, 0, sizeof(f));
	memcpy(f.magic, METRICS_MAGIC, sizeof(f.magic));
	if (size && data[0] & 1) {      /* most are of the right size */
		size = size < sizeof(f) - sizeof(f.magic) ? size : sizeof(f) - sizeof(f.magic);
		memcpy((char *)&f + sizeof(f.magic), data, size);
		data = (const uint8_t *)&f;
		size = sizeof(f);
	}
	fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, (const char *)data, size) < 0)
		abort();
	close(fd);
	out.len = 0;
	if (expose_folder(&out, folder) < 0)
		abort();
	for (size_t at = 0; at < out.len; ) {
		const char *lf = memchr(out.p + at, '\n', out.len - at);

		if (!lf)
			abort();
		check_line(out.p + at, (size_t)(lf - out.p) - at);
		at = (size_t)(lf - out.p) + 1;
	}
	unlink(file);
	rmdir(folder);
	return 0;
}
