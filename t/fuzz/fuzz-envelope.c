/* fuzz-envelope - any message as a capture envelope is a record, and read back
 * is the same message to the byte. The first bytes of the input choose which
 * parts are there and how long they are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "kafka-post.h"
#include "kafka-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
same(const char *a, size_t na, const char *b, size_t nb)
{
	must(!a == !b);
	must(!a || (na == nb && memcmp(a, b, na) == 0));
}

/* The next piece of at most most bytes. */
static const char *
piece(const uint8_t **p, size_t *left, size_t most, size_t *len)
{
	const char *at = (const char *)*p;

	*len = most < *left ? most : *left;
	*p += *len;
	*left -= *len;
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kafka_post post;
	static struct buf line, name;
	struct kafka_header h[2] = { { .name = "n" } };
	struct kafka_msg m = { .topic = "t", .partition = 3, .offset = 7, .headers = h };
	struct json_fault f;
	const uint8_t *p = data + 4;
	size_t left = size - 4, len;

	if (size < 4)
		return 0;
	m.ts_ms = data[0] & 8 ? -1 : 1700000000000;
	m.key = piece(&p, &left, data[1], &m.key_len);
	m.key = data[0] & 1 ? NULL : m.key;
	name.len = 0;
	buf_add(&name, piece(&p, &left, data[2] % 16, &len), len);
	h[1].name = name.len ? buf_str(&name) : "x";
	h[1].val = piece(&p, &left, data[3], &h[1].len);
	h[1].val = data[0] & 2 ? NULL : h[1].val;
	m.n_headers = data[0] >> 6;
	m.n_headers = m.n_headers > 2 ? 2 : m.n_headers;
	m.val = data[0] & 4 ? NULL : (const char *)p;
	m.val_len = m.val ? left : 0;

	line.len = 0;
	kafka_text_envelope(&line, &m);
	must(json_check(line.p, line.len, &f) == 0 && rec_parse(&post.rec, line.p, line.len) == REC_OK);
	if (kafka_post(&post, &post.rec) < 0) {
		must(post.why[0]);
		return 0;
	}
	same(m.key, m.key_len, post.msg.key, post.msg.key_len);
	same(m.val, m.val_len, post.msg.val, post.msg.val_len);
	must(post.msg.partition == m.partition && post.msg.ts_ms == m.ts_ms && m.n_headers == post.msg.n_headers);
	for (size_t i = 0; i < m.n_headers; i++) {
		must(strcmp(h[i].name, post.msg.headers[i].name) == 0);
		same(h[i].val, h[i].len, post.msg.headers[i].val, post.msg.headers[i].len);
	}
	return 0;
}
