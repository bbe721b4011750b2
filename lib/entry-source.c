/* Where an entry came from: the member "kafka" and what else stands for the
 * source's bytes. */
#include <string.h>

#include "b64.h"
#include "entry.h"
#include "normal.h"

/* From here on the digest is of the value's sha256, since so large a value may
 * come as a blob, of which no more is known. */
enum { DIGEST_LARGE = 4 << 20 };

static bool
is_object(const struct rec_member *m)
{
	return m && m->type == '{';
}

static void
read_blob(struct entry *q, const struct rec_member *m)
{
	static struct rec b;

	if (!is_object(m) || rec_parse(&b, m->val, m->val_len) != REC_OK ||
	    rec_u64(rec_get(&b, "length"), &q->length) < 0 || q->length > INT64_MAX)
		return;
	if (entry_string(&b, "sha256", &q->blob) < 0 || q->blob.len != SHA256_HEX - 1)
		q->blob.len = 0;
}

static void
read_key(struct entry *q, const struct rec *k)
{
	static struct buf raw;

	q->key.len = 0;
	if (entry_string(k, "key_b64", &raw) == 0)
		q->has_key = b64_decode(&q->key, raw.p, raw.len) == 0;
	else
		q->has_key = entry_string(k, "key", &q->key) == 0;
}

static void
read_original(struct entry *q, const struct rec_member *m)
{
	static struct buf raw;

	raw.len = 0;
	if (m && m->type == 'n') {      /* a tombstone: no bytes, not those of its wrapping */
		q->original.len = 0;
		q->has_original = true;
		return;
	}
	if (rec_str(m, &raw) < 0)
		return;
	q->original.len = 0;
	q->has_original = b64_decode(&q->original, raw.p, raw.len) == 0;
}

int
entry_source(struct entry *q, const struct rec_member *m)
{
	static struct rec k;
	const struct rec_member *headers;

	q->has_source = q->has_key = q->has_low = q->first = false;
	q->headers.len = q->blob.len = 0;
	q->ts = q->prev = q->length = 0;
	read_original(q, rec_get(&q->rec, "error") ? rec_get(&q->rec, "raw") : NULL);
	read_blob(q, rec_get(&q->rec, "raw_blob"));
	if (!m)
		return 0;
	if (!is_object(m) || rec_parse(&k, m->val, m->val_len) != REC_OK)
		return -1;
	read_original(q, rec_get(&k, "raw"));
	if (rec_get(&k, "raw") && !rec_get(&k, "topic"))        /* by hand, rewritten by a stage */
		return 0;
	if (entry_string(&k, "cluster", &q->cluster) < 0 || entry_string(&k, "topic", &q->topic) < 0 ||
	    rec_u64(rec_get(&k, "partition"), &q->part) < 0 || q->part > INT32_MAX ||
	    rec_u64(rec_get(&k, "offset"), &q->off) < 0 || q->off > INT64_MAX - 1)
		return -1;
	if (rec_u64(rec_get(&k, "prev"), &q->prev) < 0 || q->prev > INT64_MAX)
		q->prev = 0;            /* says nothing about a gap */
	q->has_low = rec_u64(rec_get(&k, "low"), &q->low) == 0 && q->low <= INT64_MAX;
	if (rec_u64(rec_get(&k, "ts"), &q->ts) < 0 || q->ts > INT64_MAX)
		q->ts = 0;
	read_key(q, &k);
	if (!q->blob.len)
		read_blob(q, rec_get(&k, "raw_blob"));
	headers = rec_get(&k, "headers");
	if (headers && headers->type == '[')
		buf_add(&q->headers, headers->val, headers->val_len);
	q->has_source = true;
	return 0;
}

int
entry_header(const struct entry *q, const char *name, struct buf *value)
{
	static struct rec all, one;

	value->len = 0;
	if (!q->headers.len || rec_items(&all, q->headers.p, q->headers.len) != REC_OK)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (rec_items(&one, all.m[i].val, all.m[i].val_len) == REC_OK && one.n >= 2 &&
		    rec_is(&one.m[0], name)) {
			if (rec_str(&one.m[1], value) < 0)
				return -1;
			buf_str(value);
			return 0;
		}
	return -1;
}

void
entry_digest(struct entry *q)
{
	const struct buf *value = q->has_original ? &q->original : &q->text;
	static struct buf all;
	char hex[SHA256_HEX];

	all.len = 0;
	if (q->has_key)
		buf_add(&all, q->key.p, q->key.len);
	buf_addc(&all, '\0');
	if (q->blob.len) {
		buf_add(&all, q->blob.p, q->blob.len);
	} else if (value->len >= DIGEST_LARGE) {
		sha256_hex(value->p, value->len, hex);
		buf_adds(&all, hex);
	} else {
		buf_add(&all, value->p, value->len);
	}
	sha256_raw(all.p, all.len, q->rec_digest);
}

void
entry_event(struct entry *q)
{
	const struct rec_member *of = rec_get(&q->rec, "document_of");
	uint64_t run = 1;

	if (!of || !q->job_id.len || !rec_is(of, q->job_id.p))
		return;
	rec_u64(rec_get(&q->rec, "document_run"), &run);
	normal_event_id(&q->job_id, run);
}
