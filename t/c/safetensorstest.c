/* safetensorstest - files that a loader must take or refuse, each made here. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embed/safetensors.h"
#include "mem.h"
#include "tap.h"

static char path[] = "/tmp/safetensorstest.XXXXXX";
static struct fault why;

static void
store(const void *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || (len && fwrite(p, len, 1, f) != 1) || fclose(f) != 0)
		abort();
}

/* The header's length, the header, data bytes of data. */
static void
make(const char *header, size_t data)
{
	struct buf b = BUF_INIT;
	size_t len = strlen(header);

	for (int i = 0; i < 8; i++)
		buf_addc(&b, (char)(len >> (8 * i) & 0xff));
	buf_adds(&b, header);
	for (size_t i = 0; i < data; i++)
		buf_addc(&b, (char)i);
	store(b.p, b.len);
	buf_free(&b);
}

static bool
opens(void)
{
	struct safetensors s;

	if (st_open(&s, path, &why) < 0)
		return false;
	st_close(&s);
	return true;
}

static void
refused(const char *header, size_t data, const char *reason, const char *what)
{
	make(header, data);
	if (!ok(!opens() && !why.temp && strstr(why.text, reason), "refused: %s", what))
		printf("# %s\n", why.text);
}

#define T(dtype, shape, offsets) \
	"{\"t\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void
good_files(void)
{
	struct safetensors s;
	const struct st_tensor *t;

	make("{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]},"
	    "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}    ", 32);
	if (!ok(st_open(&s, path, &why) == 0, "a file with two tensors, padding and metadata")) {
		printf("# %s\n", why.text);
		return;
	}
	t = st_find(&s, "b");
	ok(t && t->ndim == 2 && t->shape[0] == 2 && t->shape[1] == 3 && t->begin == 8, "a tensor as described");
	ok(!st_find(&s, "__metadata__") && !st_find(&s, "c"), "metadata is no tensor, nor is what is not there");
	ok(!st_f32(&s, "a", 0, 1, &why) && strstr(why.text, "is I64"), "another type is not float32");
	ok(!st_f32(&s, "b", 3, 2, &why) && strstr(why.text, "shape"), "another shape is not this one");
	ok(!st_f32(&s, "b", 0, 6, &why), "nor is another number of dimensions");
	ok(!st_f32(&s, "c", 0, 6, &why) && strstr(why.text, "missing"), "a missing one is named");
	st_close(&s);
	make("{}", 0);
	ok(opens(), "no tensors at all");
	make(T("F32", "[]", "[0,4]"), 4);
	ok(opens(), "a scalar");
	make(T("F32", "[0,5]", "[0,0]"), 0);
	ok(opens(), "a tensor of no elements");
	make(T("F32", "[1]", "[0,4]") " ", 4);
	ok(st_open(&s, path, &why) == 0 && !st_f32(&s, "t", 0, 1, &why) && strstr(why.text, "aligned"),
	    "float32 at an odd address is refused when it is asked for");
	st_close(&s);
}

static void
hostile_headers(void)
{
	refused("", 0, "", "an empty header");
	refused("[]", 0, "header", "an array");
	refused("{\"t\":1}", 0, "no object", "a tensor that is a number");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]", 4, "header", "a torn header");
	refused("{\"t\":{},\"t\":{}}", 0, "header", "the same name twice");
	refused("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets", "no offsets");
	refused("{\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype", "no dtype");
	refused("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape", "no shape");
	refused(T("", "[1]", "[0,4]"), 4, "dtype", "an empty dtype");
	refused(T("F33", "[1]", "[0,4]"), 4, "dtype", "an unknown dtype");
	refused(T("F32F32F32F32F32F32F32F32F32F32F32", "[1]", "[0,4]"), 4, "dtype", "a long dtype");
	refused(T("F32", "[-1]", "[0,4]"), 4, "shape", "a negative dimension");
	refused(T("F32", "[1.0]", "[0,4]"), 4, "shape", "a fraction");
	refused(T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "shape", "nine dimensions");
	refused(T("F32", "[4611686018427387905]", "[0,4]"), 4, "too large", "a product that wraps to 4 bytes");
	refused(T("F32", "[4294967296,4294967296]", "[0,0]"), 0, "too large", "a product that wraps to 0");
	refused(T("F32", "[99999999999999999999]", "[0,4]"), 4, "shape", "a number over 64 bits");
	refused(T("F32", "[1]", "[0,4,8]"), 4, "data_offsets", "three offsets");
	refused(T("F32", "[1]", "[4,0]"), 4, "outside", "offsets backwards");
	refused(T("F32", "[2]", "[0,8]"), 4, "outside", "data beyond the end");
	refused(T("F32", "[1]", "[18446744073709551612,18446744073709551615]"), 4, "outside", "offsets near 2^64");
	refused(T("F32", "[2]", "[0,4]"), 4, "fit", "a size that is not the shape's");
	refused(T("F32", "[1]", "[4,8]"), 8, "hole", "a hole before");
	refused(T("F32", "[1]", "[0,4]"), 8, "has 8 bytes", "bytes after the last tensor");
	refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
	    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, "overlaps", "tensors that overlap");
}

static void
hostile_lengths(void)
{
	static const unsigned char huge[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	static const unsigned char past[16] = { 9, 0, 0, 0, 0, 0, 0, 0 };

	store("", 0);
	ok(!opens() && strstr(why.text, "empty"), "refused: an empty file");
	store("abc", 3);
	ok(!opens() && strstr(why.text, "too short"), "refused: three bytes");
	store(huge, sizeof(huge));
	ok(!opens() && strstr(why.text, "header would be"), "refused: a header of 2^64 - 1 bytes");
	store(past, sizeof(past));
	ok(!opens() && strstr(why.text, "header would be"), "refused: a header one byte past the end");
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		abort();
	close(fd);
	good_files();
	hostile_headers();
	hostile_lengths();
	unlink(path);
	ok(!opens() && !why.temp && strstr(why.text, "No such file"), "a missing file is named");
	return tap_end();
}
