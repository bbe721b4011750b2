#include "kafka-place.h"

#include "b64.h"
#include "json.h"

static int
end(struct buf *b, size_t at, struct place *to)
{
	*to = (struct place){ at + 1, b->len - at };
	buf_addc(b, '\0');
	return 0;
}

int
place_text(struct buf *b, const struct rec_member *m, struct place *to)
{
	size_t at = b->len;

	*to = (struct place){ 0, 0 };
	if (m && m->type == 'n')
		return 0;
	return rec_str(m, b) < 0 ? -1 : end(b, at, to);
}

int
place_base64(struct buf *b, const struct rec_member *m, struct place *to)
{
	static struct buf text = BUF_INIT;
	size_t at = b->len;

	text.len = 0;
	if (rec_str(m, &text) < 0 || b64_decode(b, text.p, text.len) < 0)
		return -1;
	return end(b, at, to);
}

int
place_either(struct buf *b, const struct rec_member *m, struct place *to)
{
	static struct rec r = REC_INIT;

	if (m->type != '{')
		return place_text(b, m, to);
	if (rec_parse(&r, m->val, m->val_len) != REC_OK || r.n != 1)
		return -1;
	return place_base64(b, rec_get(&r, "b64"), to);
}

int
place_key(struct buf *b, const struct rec_member *m, struct place *to)
{
	size_t at = b->len;

	json_unescape(b, m->key, m->key_len);
	return end(b, at, to);
}

const char *
place_ptr(const struct buf *b, size_t at)
{
	return at ? b->p + (at - 1) : NULL;
}
