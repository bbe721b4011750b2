/* fuzz-safetensors - any bytes as a model file: refused, or every tensor lies
 * inside the file and can be read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embed/safetensors.h"
#include "ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(const struct safetensors *s)
{
	volatile char sink;
	struct fault f;

	for (size_t i = 0; i < s->n; i++) {
		const struct st_tensor *t = &s->t[i];

		if (t->begin > t->end || t->end > s->data_len)
			abort();
		if (t->begin < t->end) {
			sink = s->data[t->begin];
			sink = s->data[t->end - 1];
		}
	}
	(void)sink;
	st_find(s, "t");
	st_f32(s, "a", 0, 1, &f);
	st_f32(s, "b", 2, 3, &f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct safetensors s;
	struct fault f;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, (const char *)data, size) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (st_open(&s, path, &f) == 0) {
		read_all(&s);
		st_close(&s);
	} else if (!f.text[0]) {
		abort();
	}
	close(fd);
	return 0;
}
