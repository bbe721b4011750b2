#include "parsed.h"

#include <errno.h>
#include <string.h>

#include "arg.h"
#include "json.h"
#include "text/body.h"
#include "text/heading.h"
#include "text/tidy.h"

#define STAGE "mineru/1"

static bool
has_blob(struct parsed *p, const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	static struct buf hex;

	hex.len = 0;
	return m && m->type == '{' && rec_parse(&r, m->val, m->val_len) == REC_OK &&
	    rec_str(rec_get(&r, "sha256"), &hex) == 0 && body_blobs(&p->blobs) == 0 && blob_has(&p->blobs, buf_str(&hex));
}

bool
parsed_before(struct parsed *p, const struct rec *job)
{
	static struct rec r = REC_INIT;
	static struct buf made;
	const struct rec_member *m = rec_get(job, "parsed");

	made.len = 0;
	if (!m || rec_parse(&r, m->val, m->val_len) != REC_OK || !rec_is(rec_get(&r, "stage"), STAGE) ||
	    !rec_is(rec_get(&r, "pdf"), p->sum) || rec_str(rec_get(&r, "engine"), &made) < 0 ||
	    strncmp(buf_str(&made), p->engine, strlen(p->engine)) != 0)
		return false;
	m = rec_get(&r, "blocks");
	return (m && m->type == '[') || has_blob(p, rec_get(&r, "blocks_blob"));
}

static int
from_blob(struct parsed *p, const struct rec *job, const struct rec_member *m)
{
	static struct rec r = REC_INIT;
	static struct buf hex;
	struct doc *d = &p->doc;

	hex.len = d->bytes.len = 0;
	if (m->type != '{' || rec_parse(&r, m->val, m->val_len) != REC_OK || rec_str(rec_get(&r, "sha256"), &hex) < 0 ||
	    hex.len != SHA256_HEX - 1)
		return doc_fail(d, "bad_pdf_ref", false, "pdf: it names no blob");
	memcpy(p->sum, buf_str(&hex), sizeof p->sum);
	if (parsed_before(p, job))
		return 0;
	if (body_blobs(&p->blobs) == 0 && blob_get(&p->blobs, p->sum, d->max, &d->bytes) == 0)
		return 0;
	if (errno == EFBIG)
		return doc_fail(d, "too_large", false, "the PDF is over %zu bytes", d->max);
	if (errno == EINVAL)
		return doc_fail(d, "bad_pdf_ref", false, "pdf: it names no blob");
	return doc_fail(d, errno == EBADMSG ? "blob_damaged" : "blob_unavailable", errno != EBADMSG,
	    "the PDF's blob: %s", blob_why());
}

int
parsed_source(struct parsed *p, const struct rec *job)
{
	const struct rec_member *m = rec_get(job, "pdf");

	if (m)
		return from_blob(p, job, m) < 0 ? -1 : 1;
	if (rec_get(job, "path")) {
		if (doc_source(&p->doc, job) < 0)
			return -1;
		sha256_hex(buf_str(&p->doc.bytes), p->doc.bytes.len, p->sum);
		return 1;
	}
	if (rec_get(job, "content") || rec_get(job, "content_blob") || rec_get(job, "text"))
		return 0;
	return doc_fail(&p->doc, "no_pdf", false, "there is no PDF: neither pdf nor path");
}

int
parsed_check(struct parsed *p, const struct buf *blocks)
{
	if (check_blocks(&p->check, blocks->p, blocks->len, p->chars_min) == 0)
		return 0;
	return doc_fail(&p->doc, p->check.code, false, "%s", p->check.message);
}

/* The blocks are in the blob, or here. */
static void
describe(struct parsed *p, const char *engine, const struct buf *name, const char *blob, const struct buf *blocks)
{
	static struct buf title;
	const struct check *c = &p->check;
	struct buf *out = &p->about;

	out->len = title.len = 0;
	buf_adds(out, "{\"engine\":");
	json_quotes(out, engine);
	buf_addf(out, ",\"pages\":%zu,\"chars\":%zu", c->pages, c->chars);
	if (c->sparse.len)
		buf_addf(out, ",\"sparse\":[%.*s]", (int)c->sparse.len, c->sparse.p);
	pdf_clean(&title, name->p, name->len);
	if (title.len) {
		buf_adds(out, ",\"title\":");
		json_quote(out, title.p, tidy_cut(title.p, title.len, HEADING_TITLE));
	}
	if (blob) {
		buf_addf(out, ",\"blocks\":%zu,\"blocks_blob\":{\"sha256\":\"%s\",\"length\":%zu}", c->blocks, blob, blocks->len);
	} else {
		buf_adds(out, ",\"blocks\":");
		buf_add(out, blocks->p, blocks->len);
	}
	buf_addf(out, ",\"pdf\":\"%s\",\"stage\":\"" STAGE "\"}", p->sum);
}

int
parsed_member(struct parsed *p, const char *engine, const struct buf *title, const struct buf *blocks, struct rec_change *c)
{
	char hex[SHA256_HEX];
	bool blob = arg_env("SLUICE_BLOBS", NULL);

	if (blob && (body_blobs(&p->blobs) < 0 || blob_put(&p->blobs, blocks->p, blocks->len, hex) < 0))
		return doc_fail(&p->doc, "blob_unavailable", true, "SLUICE_BLOBS: %s", blob_why());
	describe(p, engine, title, blob ? hex : NULL, blocks);
	*c = (struct rec_change){ "parsed", p->about.p, p->about.len };
	return 0;
}
