#include "kafka-text.h"

#include <inttypes.h>
#include <string.h>

#include "b64.h"
#include "json.h"

/* Bytes to a length that JSON text may take: beyond it base64 is the shorter. */
static bool
is_text(const char *p, size_t len)
{
	const char *end = p + len;
	size_t escapes = 0;

	while (p < end) {
		size_t n = utf8_len(p, end);

		if (!n)
			return false;
		escapes += (unsigned char)*p < 0x20;
		p += n;
	}
	return escapes <= 64 || escapes < len / 16;
}

static void
text_or_object(struct buf *out, const char *p, size_t len)
{
	if (is_text(p, len)) {
		json_quote(out, p, len);
		return;
	}
	buf_adds(out, "{\"b64\":");
	b64_quote(out, p, len);
	buf_addc(out, '}');
}

void
kafka_text_key(struct buf *out, const struct kafka_msg *m)
{
	buf_adds(out, "\"key\":");
	if (m->key && is_text(m->key, m->key_len)) {
		json_quote(out, m->key, m->key_len);
		return;
	}
	buf_adds(out, "null");
	if (m->key) {
		buf_adds(out, ",\"key_b64\":");
		b64_quote(out, m->key, m->key_len);
	}
}

void
kafka_text_headers(struct buf *out, const struct kafka_msg *m)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < m->n_headers; i++) {
		const struct kafka_header *h = &m->headers[i];

		buf_adds(out, i ? ",[" : "[");
		text_or_object(out, h->name, strlen(h->name));
		buf_addc(out, ',');
		if (h->val)
			text_or_object(out, h->val, h->len);
		else
			buf_adds(out, "null");
		buf_addc(out, ']');
	}
	buf_addc(out, ']');
}

void
kafka_text_envelope(struct buf *out, const struct kafka_msg *m)
{
	buf_adds(out, "{\"topic\":");
	json_quotes(out, m->topic);
	buf_addf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"ts\":", m->partition, m->offset);
	if (m->ts_ms < 0)
		buf_adds(out, "null");
	else
		buf_addf(out, "%" PRId64, m->ts_ms);
	buf_addc(out, ',');
	kafka_text_key(out, m);
	if (m->n_headers) {
		buf_adds(out, ",\"headers\":");
		kafka_text_headers(out, m);
	}
	if (!m->val) {
		buf_adds(out, ",\"text\":null}");
	} else if (is_text(m->val, m->val_len)) {
		buf_adds(out, ",\"text\":");
		json_quote(out, m->val, m->val_len);
		buf_addc(out, '}');
	} else {
		buf_adds(out, ",\"b64\":");
		b64_quote(out, m->val, m->val_len);
		buf_addc(out, '}');
	}
}
