/* fuzz-kafka-line - any message becomes one line that is a record; a good one
 * keeps every byte but LF and CR; a wrapped one has its bytes. The first byte
 * of the input chooses shape and limit, the next how long the key is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "json.h"
#include "kafka-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
same_bytes(const struct kafka_msg *m, const struct buf *out, const struct rec *r)
{
	static const struct rec_change gone = { .name = "kafka" };
	static struct buf without;

	without.len = 0;
	rec_edit(&without, r, &gone, 1);
	must(without.len == m->val_len && out->len > m->val_len);
	for (size_t i = 0; i < without.len; i++)
		must(without.p[i] == m->val[i] ||
		    (without.p[i] == ' ' && (m->val[i] == '\n' || m->val[i] == '\r')));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kafka_line l = { .cluster = "c" };
	static struct buf out, raw;
	static struct rec r;
	struct kafka_header h = { .name = "h" };
	struct kafka_msg m = { .topic = "t" };
	const struct rec_member *member;
	struct json_fault f;
	size_t key;
	const char *code;

	if (size < 2)
		return 0;
	l.plain = data[0] & 1;
	l.max = data[0] & 2 ? 8192 : 1 << 20;
	key = data[1] < size - 2 ? data[1] : size - 2;
	m.key = data[0] & 4 ? NULL : (const char *)data + 2;
	m.key_len = m.key ? key : 0;
	h.val = (const char *)data + 2;
	h.len = key;
	m.headers = &h;
	m.n_headers = data[0] >> 7;
	m.val = (const char *)data + 2 + key;
	m.val_len = size - 2 - key;
	out.len = 0;
	code = kafka_line(&l, &m, &out);
	must(!memchr(out.p, '\n', out.len) && !memchr(out.p, '\r', out.len) && out.len < l.max);
	must(json_check(out.p, out.len, &f) == 0 && rec_parse(&r, out.p, out.len) == REC_OK);
	must(rec_get(&r, "kafka") != NULL);
	if (!code) {
		same_bytes(&m, &out, &r);
		return 0;
	}
	member = rec_get(&r, "raw");
	must(rec_get(&r, "error") && (member || rec_get(&r, "raw_blob")));
	if (member) {
		raw.len = 0;
		must(b64_decode(&raw, member->val + 1, member->val_len - 2) == 0);
		must(raw.len == m.val_len && (!raw.len || memcmp(raw.p, m.val, raw.len) == 0));
	}
	return 0;
}
