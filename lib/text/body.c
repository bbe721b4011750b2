#include <errno.h>
#include <string.h>

#include "arg.h"
#include "err.h"
#include "text/body.h"

int
body_blobs(struct blob *blobs)
{
	return blob_is_open(blobs) ? 0 : blob_open(blobs, arg_env("SLUICE_BLOBS", ""));
}

void
body_settings(void)
{
	static struct blob b = BLOB_INIT;
	const char *name = arg_env("SLUICE_BLOBS", "");

	if (strncmp(name, "s3://", 5) == 0 && blob_open(&b, name) < 0)
		die(XPERM, "%s", blob_why());
	blob_close(&b);
}

enum body_status
body_blob(const struct rec_member *m, struct blob *blobs, size_t max, struct buf *out)
{
	static struct rec r = REC_INIT;
	static struct buf hex = BUF_INIT;

	hex.len = 0;
	if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK ||
	    rec_str(rec_get(&r, "sha256"), &hex) < 0)
		return BODY_BAD;
	if (body_blobs(blobs) < 0)
		return BODY_LATER;
	if (blob_get(blobs, buf_str(&hex), max, out) == 0)
		return BODY_OK;
	return errno == EINVAL || errno == EBADMSG || errno == EFBIG ? BODY_BAD : BODY_LATER;
}

int
body_put(struct blob *blobs, const struct buf *bytes, struct buf *ref)
{
	char hex[SHA256_HEX];

	if (body_blobs(blobs) < 0 || blob_put(blobs, bytes->p, bytes->len, hex) < 0)
		return -1;
	buf_addf(ref, "{\"sha256\":\"%s\",\"length\":%zu}", hex, bytes->len);
	return 0;
}

bool
body_there(const struct rec *r)
{
	return rec_get(r, "text") || rec_get(r, "content") || rec_get(r, "content_blob");
}

enum body_status
body_text(const struct rec *r, struct blob *blobs, size_t max, struct buf *out)
{
	const struct rec_member *m;

	if (rec_str(rec_get(r, "content"), out) == 0)
		return BODY_OK;
	if ((m = rec_get(r, "content_blob")))
		return body_blob(m, blobs, max, out);
	return rec_str(rec_get(r, "text"), out) == 0 ? BODY_OK : BODY_NONE;
}
